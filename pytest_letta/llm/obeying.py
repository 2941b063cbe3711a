"""How the scripted model speaks where it is told to call a tool, as agents of Letta's older types tell it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from pytest_letta.llm.request import ChatRequest
from pytest_letta.llm.script import Turn

_SPEAKER = "send_message"
_FILLERS: dict[str, Any] = {"boolean": False, "integer": 1, "number": 1, "array": [], "object": {}}


def obeying(turn: Turn, request: ChatRequest) -> Turn:
    """Give the turn in which what is to be said is the message of a call of ``send_message``.

    So does a real model where ``tool_choice`` is ``required`` and that tool is there; all other turns stay.
    """
    tool = request.required_tools.get(_SPEAKER)
    if tool is None or turn.reply.kind != "say":
        return turn
    parameters = tool.get("parameters") or {}
    described = parameters.get("properties") or {}
    needed = {name: described.get(name) or {} for name in parameters.get("required") or ()}
    arguments = {name: _FILLERS.get(about.get("type", "string"), "Hm.") for name, about in needed.items()}
    said = json.dumps({**arguments, "message": turn.reply.text}, ensure_ascii=False)
    return replace(turn, reply=replace(turn.reply, kind="call_tool", name=_SPEAKER, arguments=said, tokens=()))
