"""Chat: the endpoint for clients of OpenAI, where the agent is the model, streams as OpenAI's does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, event_stream, refused, status
from pytest_letta.llm import cut, fail, say

from .events import answers_in

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.llm.reply import Reply
    from pytest_letta.sse import Event
    from pytest_letta.streaming import StreamOpener

_NEEDS = ["chat_completions", "llm"]
_TOKENS = ["One ", "\U0001f9a6", ' "two"', "\n", "three."]
_TEXT = "".join(_TOKENS)
_UNKNOWN = "agent-00000000-0000-4000-8000-000000000000"


def _chat(agent: Agent, llm: ModelControl, opener: StreamOpener, reply: Reply) -> list[Event]:
    with opener.chat(agent, llm.script(reply).prompt()) as stream:
        must(status(stream.response))
        must(event_stream(stream.response))
        events = stream.read_all()
    must(equal([], stream.ignored, "lines that are no field of an event stream"))
    return events


def _choices(events: list[Event]) -> list[dict[str, Any]]:
    """Return the first choice of each chunk; a chunk of the usage alone has none."""
    return [choice for event in events if not event.is_done for choice in event.json().get("choices", [])[:1]]


def _text(events: list[Event]) -> str:
    return "".join((choice.get("delta") or {}).get("content") or "" for choice in _choices(events))


@contract("SSE-CHAT-001", needs=_NEEDS, because="clients of OpenAI are strict; a chunk of another shape ends them")
def test_chat_stream_has_the_shape_of_openai(
    letta_agent: Agent, letta_llm: ModelControl, opener: StreamOpener
) -> None:
    """A chat stream holds chat.completion.chunk objects under one id, with one finish reason, then [DONE] once."""
    events = _chat(letta_agent, letta_llm, opener, say(_TEXT, tokens=_TOKENS))

    chunks = [event.json() for event in events if not event.is_done]
    must(equal({"chat.completion.chunk"}, {one.get("object") for one in chunks}, "objects in the chat stream"))
    must(equal(1, len({one.get("id") for one in chunks}), "number of ids in the chat stream"))
    reasons = [choice["finish_reason"] for choice in _choices(events) if choice.get("finish_reason")]
    must(equal(["stop"], reasons, "finish reasons of the chat stream"))
    must(equal(1, sum(event.is_done for event in events), "number of [DONE]"))
    must(None if events[-1].is_done else "[DONE] does not come last")


@contract("SSE-CHAT-002", needs=_NEEDS, because="the same agent is talked to by other doors, and must know it")
def test_chat_text_is_said_and_stored(letta_agent: Agent, letta_llm: ModelControl, opener: StreamOpener) -> None:
    """The pieces of a chat stream joined are what the model said, and the message that the agent has stored."""
    events = _chat(letta_agent, letta_llm, opener, say(_TEXT, tokens=_TOKENS))

    must(equal(_TEXT, _text(events), "text of the chat stream"))
    must(equal([_TEXT], answers_in(letta_agent.messages()), "answers stored after the chat stream"))


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(fail(400, "pytest-letta: the model refuses"), id="refused"),
        pytest.param(cut("one two three", after_tokens=2), id="cut"),
    ],
)
@contract("SSE-CHAT-003", needs=_NEEDS, because="an empty answer that ended well is shown as the agent's silence")
def test_failed_chat_is_no_whole_answer(
    letta_agent: Agent, letta_llm: ModelControl, letta_stream: StreamOpener, failure: Reply
) -> None:
    """When the model fails a chat stream does not finish with stop; it ends, with an error or broken off."""
    try:
        events = _chat(letta_agent, letta_llm, letta_stream, failure)
    except httpx.RemoteProtocolError:
        # A connection that breaks is an error to every client.
        return

    reasons = [choice["finish_reason"] for choice in _choices(events) if choice.get("finish_reason")]
    seen = f"text {_text(events)!r}, finish reasons {reasons}"
    must(f"the model failed, and the chat stream finishes as if it had not: {seen}" if "stop" in reasons else None)


@pytest.mark.parametrize(
    ("field", "value", "statuses", "naming"),
    [
        # Unknown ids are 404; that one is named is not asked, for OpenAI's own text does not either.
        pytest.param("model", _UNKNOWN, (404,), "not found", id="unknown-agent"),
        pytest.param("model", "gpt-4o-mini", (400, 404, 422), "gpt-4o-mini", id="no-agent"),
        pytest.param("messages", [], (400, 422), "message", id="no-message"),
    ],
)
@contract("SSE-CHAT-004", needs=_NEEDS, because="a client that got 200 shows an empty answer for its own mistake")
def test_malformed_chat_is_no_stream(
    letta_agent: Agent, client: httpx.Client, field: str, value: object, statuses: tuple[int, ...], naming: str
) -> None:
    """A chat of no agent, or without a message, is refused as JSON that says so; no stream begins."""
    body = {"model": letta_agent.id, "stream": True, "messages": [{"role": "user", "content": "Hello."}]}

    answer = client.post("/v1/chat/completions", json={**body, field: value})

    must(refused(answer, *statuses, naming=naming))
