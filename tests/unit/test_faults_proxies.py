"""Faults that proxies have by their configuration: what reaches the server, and what comes back."""

from __future__ import annotations

import gzip

import pytest

from pytest_letta.faults.fault import Fault, Request, Response
from pytest_letta.faults.proxies import (
    believe_forwarded,
    compress_always,
    decode_query,
    decode_twice,
    hurry_uploads,
    intercept_errors,
    lose_query,
    merge_slashes,
    refuse_framing,
    resolve_dots,
    with_header,
)
from pytest_letta.faults.rest import answer

LOCATION = "http://proxy:1/v1/agents/?a=b"


def served(fault: Fault, request: Request, status: int = 200) -> tuple[Response, list[str]]:
    """Return the answer and the targets that reached the server."""
    reached: list[str] = []

    def forward(request: Request) -> Response:
        reached.append(request.target)
        return Response.of(status, b"body").with_header("Location", LOCATION)

    return fault.serve(request, forward), reached


@pytest.mark.parametrize(
    ("fault", "target", "expected"),
    [
        (decode_twice(), "/a%252Fb%20c?d=%252F", "/a/b%20c?d=%252F"),
        (decode_query(), "/a%26b?c=%26%20d&e=%252F", "/a%26b?c=&%20d&e=%252F"),
        (lose_query(), "/a?b=c", "/a"),
        (merge_slashes(), "//a///b/?c=//d", "/a/b/?c=//d"),
        (resolve_dots(), "/a/../b/./c/?d=/../", "/b/c/?d=/../"),
        (resolve_dots(), "/a/%2e%2E/b/", "/b/"),
        (resolve_dots(), "/a.b//c", "/a.b//c"),
    ],
)
def test_the_target_is_changed(fault: Fault, target: str, expected: str) -> None:
    assert served(fault, Request("GET", target))[1] == [expected]


def test_errors_get_a_page() -> None:
    response, _ = served(intercept_errors(404), Request("GET", "/"), 404)

    assert (response.status, response.header("Content-Type")) == (404, "text/html")
    assert served(intercept_errors(404), Request("GET", "/"), 422)[0].read() == b"body"


def test_answers_are_compressed_unasked() -> None:
    response, _ = served(compress_always(), Request("GET", "/"))

    assert response.header("Content-Encoding") == "gzip"
    assert gzip.decompress(response.read()) == b"body"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("X-Forwarded-Host", "other", "http://other/v1/agents/?a=b"),
        ("X-Forwarded-Proto", "https", "https://proxy:1/v1/agents/?a=b"),
        ("X-Other", "other", LOCATION),
    ],
)
def test_a_client_decides_where_it_is_sent(name: str, value: str, expected: str) -> None:
    response, _ = served(believe_forwarded(), Request("GET", "/", headers=((name, value),)))

    assert response.header("Location") == expected


@pytest.mark.parametrize(("value", "status"), [("b", 304), ("bc", 200), (None, 200)])
def test_a_fault_waits_for_its_header(value: str | None, status: int) -> None:
    headers = (("A", value),) if value else ()

    assert served(with_header("a", answer(304), "b"), Request("GET", "/", headers=headers))[0].status == status


@pytest.mark.parametrize(
    ("fault", "request_", "status"),
    [
        (refuse_framing("expect", 417), Request("PUT", "/", framing=frozenset({"expect"})), 417),
        (refuse_framing("expect", 417), Request("PUT", "/", framing=frozenset({"transfer-encoding"})), 200),
        (hurry_uploads(0.5), Request("PUT", "/", upload_s=0.6), 408),
        (hurry_uploads(0.5), Request("PUT", "/", upload_s=0.4), 200),
    ],
)
def test_bodies_are_refused_by_how_they_come(fault: Fault, request_: Request, status: int) -> None:
    response, reached = served(fault, request_)

    assert response.status == status
    assert reached == (["/"] if status == 200 else [])
