"""What nginx is told to do about a stream that came through it badly."""

from __future__ import annotations

import pytest

from pytest_letta.conformance.checks import not_for_caches
from pytest_letta.conformance.nginx_cures import Crossing, stream_cure

_STREAM = {"content-type": "text/event-stream; charset=utf-8"}
_PAGE = {"content-type": "text/html"}


@pytest.mark.parametrize(
    ("crossing", "directive"),
    [
        (Crossing(), "proxy_read_timeout"),
        (Crossing(504, _PAGE), "proxy_read_timeout"),
        (Crossing(502, _PAGE), "proxy_pass"),
        (Crossing(404, _PAGE), "proxy_intercept_errors off"),
        (Crossing(200, {**_STREAM, "content-encoding": "gzip"}, is_held=True), "gzip off"),
        (Crossing(200, {"content-type": "text/plain"}), "proxy_hide_header Content-Type"),
        (Crossing(200, {**_STREAM, "cache-control": "max-age=60"}), "no expires"),
        (Crossing(200, {**_STREAM, "content-length": "17"}), "proxy_buffering off"),
        (Crossing(200, _STREAM, is_cut=True, is_held=True), "proxy_buffering off"),
        (Crossing(200, _STREAM, is_held=True), "X-Accel-Buffering"),
        (Crossing(200, _STREAM, is_held=True), "proxy_http_version 1.1"),
        (Crossing(200, _STREAM, is_cut=True), "proxy_read_timeout"),
    ],
)
def test_what_was_seen_names_its_directive(crossing: Crossing, directive: str) -> None:
    assert directive in str(stream_cure(crossing))


@pytest.mark.parametrize("crossing", [Crossing(200, _STREAM), Crossing(422, {"content-type": "application/json"})])
def test_what_is_not_odd_has_no_cure(crossing: Crossing) -> None:
    assert stream_cure(crossing) is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("public", True),
        ("max-age=600", True),
        ("private, s-maxage=5", True),
        ("no-cache", False),
        ("max-age=0", False),
        ("public, no-store", False),
        ("", False),
    ],
)
def test_caches_are_invited_by_what_they_may_keep(said: str, expected: bool) -> None:
    assert bool(not_for_caches({"cache-control": said})) is expected
