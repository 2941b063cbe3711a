"""Tools: a call and its return are both in the stream, complete."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal
from pytest_letta.llm import call_tool, say
from pytest_letta.streaming import payloads, text_of

from .modes import STEPS_OR_TOKENS

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.sse import Event
    from pytest_letta.streaming import StreamOpener

_EDIT = {"label": "human", "old_string": "Name unknown.", "new_string": 'Name: "Ada" \U0001f9a6'}


def _calls(events: list[Event]) -> dict[str, dict[str, str]]:
    """Join the fragments of each tool call: id -> name and arguments.

    With tokens ``tool_call`` comes in pieces: the first has the name, the others text of the arguments.
    """
    calls: dict[str, dict[str, str]] = {}
    last = ""
    for message in payloads(events, "tool_call_message"):
        piece: dict[str, Any] = message.get("tool_call") or {}
        last = piece.get("tool_call_id") or last
        call = calls.setdefault(last, {"name": "", "arguments": ""})
        call["name"] = call["name"] or piece.get("name") or ""
        call["arguments"] += piece.get("arguments") or ""
    return calls


@STEPS_OR_TOKENS
@contract(
    "SSE-TOOL-001", needs=["streaming", "llm", "core_memory"], because="half a call cannot be shown or approved"
)
def test_tool_call_and_return_are_paired_and_complete(
    letta_agent: Agent, letta_llm: ModelControl, letta_stream: StreamOpener, way: dict[str, Any]
) -> None:
    """A tool call comes with its name and arguments whole, then its return under the same id, then the answer."""
    script = letta_llm.script(call_tool("memory_replace", _EDIT), say("Noted."))

    with letta_stream(letta_agent, script.prompt(), **way) as stream:
        events = stream.read_all()

    calls = _calls(events)
    must(equal(["memory_replace"], [call["name"] for call in calls.values()], "tools called in the stream"))
    arguments = next(iter(calls.values()))["arguments"]
    must(_problem_of_json(arguments) or equal(_EDIT, json.loads(arguments), "arguments of the call"))
    returns = payloads(events, "tool_return_message")
    must(equal(list(calls), [one.get("tool_call_id") for one in returns], "ids of the returns against the calls"))
    must(equal(["success"], [one.get("status") for one in returns], "status of the return"))
    must(equal("Noted.", text_of(events), "answer after the call"))


def _problem_of_json(text: str) -> str | None:
    try:
        json.loads(text)
    except ValueError as error:
        return f"the arguments joined are not JSON ({error}): {text!r}"
    return None
