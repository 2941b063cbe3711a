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


def printable(text: str) -> str:
    """Return `text` with a sign in place of each character that a terminal or a report cannot show, such as NUL."""
    return "".join(one if one.isprintable() or one in "\n\t" else "\N{REPLACEMENT CHARACTER}" for one in text)


def answered(response: httpx.Response) -> str:
    """Say what came back: method, path, status and the start of the body."""
    request = response.request
    seen = f"{request.method} {request.url.raw_path.decode()} answered {response.status_code}"
    return f"{seen}: {printable(shorten(response.text))}" if response.is_closed and response.text else seen
