"""Asks a service over HTTP whether it is healthy."""

from __future__ import annotations

from collections.abc import Mapping

_TIMEOUT_S = 5.0
_SHOWN = 200


def ask(url: str, headers: Mapping[str, str] | None = None) -> str | None:
    """Return ``None`` when GET `url` answers 200, else what came instead, in one line."""
    import httpx

    try:
        # trust_env off: a proxy of the user's must not stand between us and our own loopback services.
        answer = httpx.get(url, headers=headers, timeout=_TIMEOUT_S, trust_env=False)
    except httpx.HTTPError as error:
        return f"{type(error).__name__}: {error}"
    if answer.status_code == 200:
        return None
    return f"{answer.status_code} {answer.text[:_SHOWN]!r} from GET {url}"
