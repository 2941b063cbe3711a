"""Faults that remember or join: tokens that come as one, an agent that stays stuck, headers that are refused."""

from __future__ import annotations

import json

import pytest

from pytest_letta.faults.events import Block, split
from pytest_letta.faults.fault import Fault, Request, Response
from pytest_letta.faults.net import demand_password, limit_headers
from pytest_letta.faults.stream import join_events, stick_after_error

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
