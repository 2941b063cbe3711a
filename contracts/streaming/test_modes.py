"""Modes: a conversation is streamed as an agent is, in each way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, event_stream, same_sequence, status
from pytest_letta.llm import say
from pytest_letta.streaming import lasting, payloads, run_id_of, text_of

from .events import types_of
from .modes import EACH_WAY

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.sse import Event
    from pytest_letta.streaming import StreamOpener

_NEEDS = ["conversations", "llm"]
_TOKENS = ["We ", "spoke ", "of \U0001f9a6", "\n", '"tea".']
_TEXT = "".join(_TOKENS)


def _spoken(llm: ModelControl, opener: StreamOpener, conversation: str, way: dict[str, Any]) -> list[Event]:
    script = llm.script(say(_TEXT, tokens=_TOKENS))
    with opener.converse(conversation, script.prompt(), **way) as stream:
        must(status(stream.response))
        must(event_stream(stream.response))
        events = stream.read_all()
    must(equal([], stream.ignored, "lines that are no field of an event stream"))
    must(equal("", stream.leftover, "text after the last complete event"))
    return events


@EACH_WAY
@contract("SSE-CONV-001", needs=_NEEDS, because="clients close the turn at its last event, whichever door it came by")
def test_stream_of_a_conversation_ends_once(
    letta_llm: ModelControl, opener: StreamOpener, conversation: str, way: dict[str, Any]
) -> None:
    """A conversation's stream is an event stream of JSON objects; stop reason, usage, [DONE] come last and once."""
    events = _spoken(letta_llm, opener, conversation, way)

    spoken = [kind for kind in types_of(events) if kind != "ping"]
    closing = ["stop_reason", "usage_statistics", "[DONE]"]
    must(equal(closing, [kind for kind in spoken if kind in closing], "closing events of the conversation's stream"))
    must(equal(closing, spoken[-3:], "last three events of the conversation's stream"))
    must(equal("end_turn", payloads(events, "stop_reason")[0].get("stop_reason"), "stop reason"))


@EACH_WAY
@contract("SSE-CONV-002", needs=_NEEDS, because="what was read must be found when the conversation is reopened")
def test_text_of_a_conversation_is_said_and_stored(
    letta_agent: Agent, letta_llm: ModelControl, letta_stream: StreamOpener, conversation: str, way: dict[str, Any]
) -> None:
    """The pieces of a conversation's answer joined are what the model said, and the message stored, by its id."""
    events = _spoken(letta_llm, letta_stream, conversation, way)

    must(equal(_TEXT, text_of(events), "text of the conversation's stream"))
    history = letta_agent.client.get(f"/v1/conversations/{conversation}/messages", params={"limit": 100}).json()
    stored = {one["id"]: one["content"] for one in history if one["message_type"] == "assistant_message"}
    pieces = {str(one["id"]): _TEXT for one in payloads(events, "assistant_message")}
    must(equal(pieces, stored, "answer in the stream, by its id, against the conversation's history"))


@contract(
    "SSE-CONV-003",
    needs=[*_NEEDS, "background", "resume"],
    because="a phone that loses its network reads on by the run's id",
)
def test_background_stream_of_a_conversation_is_resumed(
    letta_llm: ModelControl, letta_stream: StreamOpener, conversation: str
) -> None:
    """A resume of a conversation's background run after each event k gives exactly the events after k."""
    events = lasting(_spoken(letta_llm, letta_stream, conversation, {"tokens": True, "background": True}))

    whole = [event.data for event in events]
    for cut in range(1, len(events)):
        with letta_stream.resume(run_id_of(events), cut, include_pings=False) as stream:
            must(status(stream.response))
            rest = [event.data for event in stream.read_all()]
        must(same_sequence(whole[cut:], rest, f"resume of the conversation's run after event {cut} of {len(whole)}"))
