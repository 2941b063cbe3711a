"""What is said of an answer in a line of a report."""

from __future__ import annotations

import httpx
import pytest

from pytest_letta.telling import answered


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("application/json", '{"a":1}', 'answered 413: {"a":1}'),
        (
            "text/html",
            "<head>\r\n<title>413 Too\r\nLarge</title>",
            "answered 413: an HTML page, '413 Too Large'",
        ),
        ("text/html; charset=utf-8", "<h1>Gone</h1>", "answered 413: an HTML page, 'Gone'"),
        ("text/html", "<p>x", "answered 413: an HTML page"),
        ("text/plain", "", "answered 413"),
    ],
)
def test_a_page_is_told_by_its_heading(kind: str, text: str, expected: str) -> None:
    request = httpx.Request("GET", "http://server/a?b=c")

    said = answered(httpx.Response(413, headers={"Content-Type": kind}, text=text, request=request))

    assert said == f"GET /a?b=c {expected}"
