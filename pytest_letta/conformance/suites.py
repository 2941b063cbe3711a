"""Where the shipped contract suites are, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pytest_letta.errors import SettingsError
from pytest_letta.options import FILE_SUITE
from pytest_letta.parsing import did_you_mean

_PACKAGE = Path(__file__).resolve().parent.parent


def contracts_dir() -> Path:
    """Return the folder of the suites: inside the package in a wheel, beside it in a checkout."""
    inside = _PACKAGE / "contracts"
    return inside if inside.is_dir() else _PACKAGE.parent / "contracts"


def suite_names() -> tuple[str, ...]:
    """Return the names of the shipped suites."""
    return tuple(sorted(path.parent.name for path in contracts_dir().glob("*/__init__.py")))


def chosen_suites(names: Iterable[str], *, has_file: bool) -> tuple[str, ...]:
    """Return the suites `names`, or all of them; raise SettingsError for one that does not exist.

    The suite that judges a compose file is among all of them only where there `has_file`.
    """
    known = suite_names()
    chosen = tuple(names) or tuple(name for name in known if has_file or name != FILE_SUITE)
    for name in chosen:
        if name not in known:
            allowed = ", ".join(known)
            raise SettingsError(f"letta_suite must be one of {allowed}, got {name!r}{did_you_mean(name, known)}.")
    return chosen


def unexercised_file() -> Path:
    """Return the list of operations that no contract can exercise, each with its reason."""
    return contracts_dir() / "unexercised.yaml"


def shapes_file() -> Path:
    """Return the schemas of answers of which the server's own document says too little."""
    return contracts_dir() / "shapes.yaml"


def known_file(version: str | None) -> Path | None:
    """Return the list of known issues that ships for `version`, or ``None`` when there is none."""
    file = contracts_dir() / "known" / f"{version}.yaml"
    return file if file.is_file() else None
