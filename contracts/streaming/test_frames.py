"""Frames: what a stream is made of, and how it begins and ends."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, event_stream, status
from pytest_letta.streaming import payloads

from .events import types_of
from .modes import STEPS_OR_TOKENS

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.streaming import StreamOpener

#: What comes after the messages of a turn, in this order (letta/server/rest_api/streaming_response.py).
_CLOSING = ["stop_reason", "usage_statistics"]


@STEPS_OR_TOKENS
@contract(
    "SSE-FRAME-001",
    needs=["streaming"],
    because="clients and proxies choose their handling by it: letta-ai/letta#2329",
)
def test_stream_is_an_event_stream(letta_agent: Agent, opener: StreamOpener, way: dict[str, Any]) -> None:
    """A stream answers 200 with the content type text/event-stream."""
    with opener(letta_agent, "Hello.", **way) as stream:
        must(status(stream.response, 200))
        must(event_stream(stream.response))
        stream.read_all()


@STEPS_OR_TOKENS
@contract("SSE-FRAME-002", needs=["streaming"], because="one broken line ends the turn of a strict client")
def test_stream_obeys_the_grammar(letta_agent: Agent, opener: StreamOpener, way: dict[str, Any]) -> None:
    """Each event is a JSON object in UTF-8 or [DONE], and nothing else is in the stream."""
    with opener(letta_agent, "Hello.", **way) as stream:
        events = stream.read_all()

    must(equal([], stream.ignored, "lines that are no field of an event stream"))
    must(equal("", stream.leftover, "text after the last complete event"))
    must("an event is not UTF-8" if any(event.malformed_utf8 for event in events) else None)
    kinds = {type(one).__name__ for one in payloads(events)}
    must(equal({"dict"}, kinds, "kinds of JSON values in the stream"))


@STEPS_OR_TOKENS
@contract(
    "SSE-ORDER-001",
    needs=["streaming"],
    because="clients close the turn at the usage: letta-ai/letta commit a0bf36933",
)
def test_events_come_in_order(letta_agent: Agent, opener: StreamOpener, way: dict[str, Any]) -> None:
    """After the messages come the stop reason, then the usage, then [DONE]; pings may come anywhere."""
    with opener(letta_agent, "Hello.", **way) as stream:
        types = types_of(stream.read_all())

    spoken = [kind for kind in types if kind != "ping"]
    must(equal([*_CLOSING, "[DONE]"], spoken[-3:], "last three events"))
    must(equal([], [kind for kind in spoken[:-3] if kind in {*_CLOSING, "[DONE]"}], "closing events before the end"))
    must("the stream holds no message" if len(spoken) < 4 else None)


@STEPS_OR_TOKENS
@contract(
    "SSE-END-001",
    needs=["streaming"],
    because="a stream without it leaves clients waiting: letta-ai/letta commit 655c9489d",
)
def test_done_comes_last_and_once(letta_agent: Agent, opener: StreamOpener, way: dict[str, Any]) -> None:
    """[DONE] comes exactly once, and nothing comes after it."""
    with opener(letta_agent, "Hello.", **way) as stream:
        types = types_of(stream.read_all())

    must(equal(1, types.count("[DONE]"), "number of [DONE]"))
    must(equal("[DONE]", types[-1], "last event"))


@STEPS_OR_TOKENS
@contract(
    "SSE-END-002", needs=["streaming"], because="missing or doubled closing events: letta-ai/letta commit e3d4b1de7"
)
def test_stop_reason_and_usage_come_once(letta_agent: Agent, opener: StreamOpener, way: dict[str, Any]) -> None:
    """A turn has exactly one stop reason, end_turn, and one usage."""
    with opener(letta_agent, "Hello.", **way) as stream:
        events = stream.read_all()

    counts = Counter(types_of(events))
    must(
        equal({"stop_reason": 1, "usage_statistics": 1}, {kind: counts[kind] for kind in _CLOSING}, "closing events")
    )
    must(equal("end_turn", payloads(events, "stop_reason")[0].get("stop_reason"), "stop reason"))


@contract(
    "SSE-PING-001",
    level="should",
    needs=["streaming"],
    because="clients that know no ping take it for a message: the parameter is there for them",
)
def test_pings_can_be_left_out(letta_agent: Agent, letta_stream: StreamOpener) -> None:
    """A stream that is asked for without pings holds none."""
    with letta_stream(letta_agent, "Hello.", tokens=True, include_pings=False) as stream:
        types = types_of(stream.read_all())

    must(equal(0, types.count("ping"), "number of pings with include_pings false"))
