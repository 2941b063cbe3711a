"""Faults that remember or join: tokens that come as one, an agent that stays stuck, headers that are refused."""

from __future__ import annotations

import json

import pytest

from pytest_letta.faults.events import Block, split
from pytest_letta.faults.fault import Fault, Match, Request, Response
from pytest_letta.faults.net import demand_password, limit_headers
from pytest_letta.faults.rest import drop_parameter, replace_in_body
from pytest_letta.faults.stream import join_events, stick_after_error
from pytest_letta.faults.writes import also_delete

STREAM = (("Content-Type", "text/event-stream"),)
DONE = b"data: [DONE]\n\n"
ERROR = b'event: error\ndata: {"message_type": "error_message"}\n\n'


def token(text: str) -> bytes:
    return b"data: %b\n\n" % json.dumps({"message_type": "assistant_message", "content": text}).encode()


def served(fault: Fault, request: Request, *blocks: bytes) -> tuple[int, list[Block]]:
    """Return the status and the blocks that come through the fault when the server answers with `blocks`."""
    answer = fault.serve(request, lambda _: Response(200, blocks, headers=STREAM))
    return answer.status, list(split(answer.chunks))


def test_joined_events_hold_all_the_text_in_one() -> None:
    request = Request("POST", "/stream")
    _, blocks = served(join_events(), request, token("a"), token("b"), ERROR, token("c"), DONE)

    assert [block.message.get("content") for block in blocks] == ["ab", None, "c", None]
    assert blocks[-1].is_done


def test_an_agent_is_stuck_once_its_stream_held_an_error() -> None:
    fault = stick_after_error()
    broken, healthy = Request("POST", "/v1/agents/a/stream"), Request("POST", "/v1/agents/b/stream")

    assert served(fault, broken, ERROR, DONE)[0] == 200
    assert served(fault, broken, DONE)[0] == 409
    assert served(fault, healthy, DONE)[0] == 200


@pytest.mark.parametrize(("length", "status"), [(10, 200), (200, 400)])
def test_long_headers_are_refused(length: int, status: int) -> None:
    request = Request("GET", "/", headers=(("X-Long", "x" * length),))

    assert served(limit_headers(100), request)[0] == status


@pytest.mark.parametrize(("value", "status"), [("", 401), ("Bearer x", 200)])
def test_a_request_without_credentials_is_refused(value: str, status: int) -> None:
    assert served(demand_password(), Request("GET", "/", headers=(("Authorization", value),)))[0] == status


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/a?after=1&limit=2&after=3&x=", "/a?limit=2&x="),
        ("/a?after=1", "/a"),
        ("/a?afterwards=1&y=after", "/a?afterwards=1&y=after"),
        ("/a", "/a"),
    ],
)
def test_dropped_parameters_are_those_of_the_name(target: str, expected: str) -> None:
    assert _forwarded(drop_parameter("after", "before"), Request("GET", target)).target == expected


def test_replaced_bytes_keep_the_length_right() -> None:
    request = Request("POST", "/a", b"x=false&y=false").with_body(b"x=false&y=false")

    forwarded = _forwarded(replace_in_body(b"x=false", b"x=true"), request)

    assert (forwarded.body, forwarded.header("Content-Length")) == (b"x=true&y=false", "14")


def test_what_an_agent_has_is_deleted_before_the_request_goes_on() -> None:
    agent = f"agent-{'0' * 8}-0000-4000-8000-{'0' * 12}"
    seen: list[str] = []

    def forward(request: Request) -> Response:
        seen.append(f"{request.method} {request.target}")
        return Response.of(200, b'[{"id": "archive-1"}, {"id": "archive-2"}]')

    fault = also_delete("/archives/?agent_id={agent}", "/archives/{id}", on=Match("DELETE", "^/agents/"))
    fault.serve(Request("DELETE", f"/agents/{agent}"), forward)
    fault.serve(Request("GET", f"/agents/{agent}"), forward)

    assert seen == [
        f"GET /archives/?agent_id={agent}",
        "DELETE /archives/archive-1",
        "DELETE /archives/archive-2",
        f"DELETE /agents/{agent}",
        f"GET /agents/{agent}",
    ]


def _forwarded(fault: Fault, request: Request) -> Request:
    """Return the request as it comes out of the fault."""
    seen: list[Request] = []

    def forward(request: Request) -> Response:
        seen.append(request)
        return Response.of(200)

    fault.serve(request, forward)
    return seen[0]
