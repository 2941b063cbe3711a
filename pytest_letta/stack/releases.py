"""The releases of the V1 server that the local provider can install, and as of which day each resolves."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from pytest_letta.errors import SettingsError

#: Python versions that every release of the table admits (its requires-python), as minor versions of 3.
PYTHON_MINORS = range(11, 14)

#: From this version on, the package `letta` holds the Letta Code command line, another product.
_OTHER_PRODUCT = (0, 32)

#: Without these the releases of autumn 2025 import but do not serve: their own ranges admit newer ones.
_AUTUMN_2025 = ("fastapi==0.116.1", "starlette==0.47.3", "pydantic==2.11.7", "uvicorn==0.29.0")


@dataclass(frozen=True, slots=True)
class Release:
    """One version of the server; its dependencies are resolved as of the day `as_of` (ISO 8601), with `pins`.

    `forks` is false where the import alone opens sockets, so that no fork of it would be a fresh server.
    """

    version: str
    as_of: str
    pins: tuple[str, ...] = ()
    forks: bool = True


# The day is some days after the upload to PyPI, so that repairs of its dependencies are in, and today's
# incompatible ones are not: with those of a year later, 0.16.8 does not even import.
_RELEASES = {
    one.version: one
    for one in (
        Release("0.11.7", "2025-09-20", forks=False),
        Release("0.13.0", "2025-11-03", _AUTUMN_2025),
        Release("0.14.0", "2025-11-24", _AUTUMN_2025),
        Release("0.15.0", "2025-12-05", _AUTUMN_2025),
        Release("0.15.1", "2025-12-06", _AUTUMN_2025),
        Release("0.16.0", "2025-12-25"),
        Release("0.16.1", "2025-12-28"),
        Release("0.16.2", "2026-01-22"),
        Release("0.16.4", "2026-02-08"),
        Release("0.16.5", "2026-03-10"),
        Release("0.16.6", "2026-03-14"),
        Release("0.16.7", "2026-04-10"),
        Release("0.16.8", "2026-05-15"),
    )
}

DEFAULT_VERSION = "0.16.8"


def release_of(version: str) -> Release:
    """Return the release called `version`; raise SettingsError when there is none that we can install."""
    release = _RELEASES.get(version)
    if release is not None:
        return release
    if _numbers(version) >= _OTHER_PRODUCT:
        raise SettingsError(
            f"letta {version} on PyPI is Letta Code, another product, not the Letta server; "
            f"the last server is {DEFAULT_VERSION}."
        )
    near = get_close_matches(version, _RELEASES, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise SettingsError(f"unknown Letta version {version!r}.{hint} Known are: {', '.join(_RELEASES)}.")


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()
