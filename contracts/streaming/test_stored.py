"""Stored: what was shown as it came is what is found when the agent is opened again, message by message."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import equal, same_sequence, status
from pytest_letta.llm import call_tool, say
from pytest_letta.streaming import payloads

from .events import arguments_in
from .modes import MODES, Mode, stored

if TYPE_CHECKING:
    from pytest_letta import Deployment
    from pytest_letta.llm import ModelControl
    from pytest_letta.streaming import StreamOpener

    from .events import arguments_in
from .modes import Speaker

_EDIT = {"label": "human", "old_string": "Name unknown.", "new_string": 'Name: "Ada" \U0001f9a6'}
_TEXT = "Noted, \U0001f9a6 and \u201call\u201d."
_SPOKEN = ("assistant_message", "tool_call_message", "tool_return_message")


@pytest.fixture(params=MODES, ids=lambda mode: mode.name)
def mode(request: pytest.FixtureRequest, letta_deployment: Deployment) -> Mode:
    """A mode that the deployment has."""
    missing = request.param.missing(letta_deployment)
    if missing:
        not_applicable(missing)
    found: Mode = request.param
    return found


@contract(
    "SSE-STORED-001",
    needs=["streaming", "llm", "core_memory"],
    because="what is shown once and is another on reload is taken for a lie: letta-ai/letta#2283",
)
def test_stream_is_what_is_stored(
    letta_llm: ModelControl, opener: StreamOpener, mode: Mode, speaker: Speaker
) -> None:
    """In each mode the messages of a turn with a tool are those stored: ids, order, call, arguments, return, text."""
    script = letta_llm.script(call_tool("memory_replace", _EDIT), say(_TEXT))

    with mode.open(opener, speaker, script.prompt()) as stream:
        must(status(stream.response))
        events = stream.read_all()

    seen = _joined(payloads(events))
    must(equal(list(_SPOKEN), sorted(one.partition(" ")[0] for one in seen), "kinds of messages in the stream"))
    must(same_sequence(_joined(stored(speaker, mode)), seen, "messages of the stream against those stored"))
    must(None if events[-1].is_done else "the stream ended without [DONE]")


def _joined(messages: Iterable[dict[str, Any]]) -> list[str]:
    """Join the pieces of each message that was spoken: its kind, what it says, and its id."""
    joined: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for message in messages:
        if message.get("message_type") in _SPOKEN:
            joined.setdefault((message["message_type"], str(message.get("id"))), []).append(message)
    return [f"{kind} {_said(kind, pieces)} ({id})" for (kind, id), pieces in joined.items()]


def _said(kind: str, pieces: list[dict[str, Any]]) -> str:
    if kind == "assistant_message":
        return "".join(_text(piece.get("content") or "") for piece in pieces)
    if kind == "tool_return_message":
        return json.dumps(
            [[piece.get(name) for name in ("tool_call_id", "status", "tool_return")] for piece in pieces]
        )
    calls = [piece.get("tool_call") or {} for piece in pieces]
    # The first piece has the id and the name, the others text of the arguments.
    first = {name: next((call[name] for call in calls if call.get(name)), None) for name in ("tool_call_id", "name")}
    return json.dumps([first, arguments_in("".join(call.get("arguments") or "" for call in calls))], sort_keys=True)


def _text(content: str | list[dict[str, Any]]) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
