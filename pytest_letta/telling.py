"""Says what was seen, short enough for a line of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

_SHOWN = 300


def shorten(value: object, limit: int = _SHOWN) -> str:
    """Return `value` as text of at most `limit` characters, with a note of what was left out."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text):,} characters)"


def answered(response: httpx.Response) -> str:
    """Say what came back: method, path, status and the start of the body."""
    request = response.request
    seen = f"{request.method} {request.url.raw_path.decode()} answered {response.status_code}"
    return f"{seen}: {shorten(response.text)}" if response.is_closed and response.text else seen
