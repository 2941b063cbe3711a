"""Says what was seen, short enough for a line of a report."""

from __future__ import annotations

import re
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
    if not response.is_closed or not response.text:
        return seen
    return f"{seen}: {page_of(response) or printable(shorten(response.text))}"


def page_of(response: httpx.Response) -> str | None:
    """Return what stands in place of an HTML page in a report, its heading; ``None`` for what is no such page."""
    if "html" not in response.headers.get("content-type", ""):
        return None
    heading = re.search(r"<(title|h1)>(.*?)</\1>", response.text, re.DOTALL | re.IGNORECASE)
    text = " ".join(heading[2].split()) if heading else ""
    return f"an HTML page, {printable(shorten(text, 80))!r}" if text else "an HTML page"
