"""Size: many tokens, one huge one, and arguments of tools with signs that break naive framing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal
from pytest_letta.llm import call_tool, say
from pytest_letta.streaming import payloads, text_of

from .events import answers_in, arguments_in
from .modes import EACH_WAY

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.streaming import StreamOpener

_MANY = [f"word{number} " for number in range(10_000)]
#: Signs of four bytes, for what is cut by bytes breaks them.
_HUGE = ["\U0001f9a6" * (1024 * 1024 // 4)]
_SIGNS = {
    "emoji": "\U0001f9a6 and \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "line-ends": "first\nsecond\r\n\n\nlast\n",
    "quotes": 'she said "it\'s \\"so\\"" \\ \\n',
    "markup": "data: x\n\nevent: error\ndata: [DONE]\n\n{}",
    "separators": "a\u2028b\u2029c\u0085d",
}


def _place(wanted: str, got: str) -> str | None:
    """Say where two texts part; they are too long to be shown."""
    if wanted == got:
        return None
    shared = next((n for n, (a, b) in enumerate(zip(wanted, got, strict=False)) if a != b), len(got))
    seen = f"expected {len(wanted):,} characters, got {len(got):,}"
    return f"{seen}; they part at {shared:,}: {got[shared : shared + 40]!r}"


def _judge(agent: Agent, llm: ModelControl, opener: StreamOpener, tokens: list[str], way: dict[str, Any]) -> None:
    text = "".join(tokens)
    with opener(agent, llm.script(say(text, tokens=tokens)).prompt(), **way) as stream:
        events = stream.read_all()

    problem = _place(text, text_of(events))
    must(problem and f"text of the stream: {problem}")
    must(None if events[-1].is_done else "the stream ended without [DONE]")
    stored = answers_in(agent.messages())
    must(equal(1, len(stored), "number of answers stored"))
    problem = _place(text, stored[0])
    must(problem and f"stored message: {problem}")


@EACH_WAY
@contract(
    "SSE-SIZE-001", needs=["streaming", "llm"], because="long answers are the ones that people wait for longest"
)
def test_long_answer_is_whole(
    letta_agent: Agent, letta_llm: ModelControl, letta_stream: StreamOpener, way: dict[str, Any]
) -> None:
    """An answer of 10,000 tokens is whole in the stream, which ends with [DONE], and in the stored message."""
    _judge(letta_agent, letta_llm, letta_stream, _MANY, way)


@EACH_WAY
@contract(
    "SSE-SIZE-002", needs=["streaming", "llm"], because="a buffer with a bound breaks the event that outgrows it"
)
def test_huge_token_is_whole(
    letta_agent: Agent, letta_llm: ModelControl, opener: StreamOpener, way: dict[str, Any]
) -> None:
    """A token of 1 MiB is whole in the stream, which ends with [DONE], and in the stored message."""
    _judge(letta_agent, letta_llm, opener, _HUGE, way)


@pytest.mark.parametrize("case", _SIGNS)
@contract(
    "SSE-TOOL-002",
    needs=["streaming", "llm", "core_memory"],
    because="arguments are JSON within JSON, in pieces; an escape lost in either is another argument",
)
def test_arguments_are_what_the_model_said(
    letta_agent: Agent, letta_llm: ModelControl, letta_stream: StreamOpener, case: str
) -> None:
    """The arguments of a tool call, joined from their pieces, are those of the model and of the stored call."""
    edit = {"label": "human", "old_string": "Name unknown.", "new_string": _SIGNS[case]}
    script = letta_llm.script(call_tool("memory_replace", edit), say("Noted."))

    with letta_stream(letta_agent, script.prompt(), tokens=True) as stream:
        events = stream.read_all()

    pieces = [one.get("tool_call") or {} for one in payloads(events, "tool_call_message")]
    must(equal(edit, arguments_in("".join(one.get("arguments") or "" for one in pieces)), "arguments in the stream"))
    kept = [one["tool_call"] for one in letta_agent.messages() if one["message_type"] == "tool_call_message"]
    must(equal([edit], [arguments_in(one["arguments"]) for one in kept], "arguments of the stored calls"))
