"""The scripted model speaks by a tool where it must call one, as real ones do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_letta.llm import call_tool, say
from pytest_letta.llm.obeying import obeying
from pytest_letta.llm.reply import Reply
from pytest_letta.llm.request import read_chat
from pytest_letta.llm.script import Turn

SPEAKER = {
    "name": "send_message",
    "parameters": {
        "type": "object",
        "properties": {"thinking": {"type": "string"}, "message": {}, "request_heartbeat": {"type": "boolean"}},
        "required": ["thinking", "message", "request_heartbeat"],
    },
}


def spoken(reply: Reply, *tools: dict[str, Any], **fields: Any) -> Reply:
    asked = {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi."}],
        "tools": [{"type": "function", "function": tool} for tool in tools],
    }
    return obeying(Turn(None, 0, 1, reply), read_chat({**asked, **fields})).reply


def test_what_is_said_becomes_the_message_of_the_call() -> None:
    reply = spoken(say("Grüße, Ada.", pace_s=0.1), SPEAKER, tool_choice="required")

    assert (reply.kind, reply.name, reply.text, reply.pace_s) == ("call_tool", "send_message", "", 0.1)
    assert json.loads(reply.arguments or "") == {
        "thinking": "Hm.",
        "message": "Grüße, Ada.",
        "request_heartbeat": False,
    }


@pytest.mark.parametrize(
    ("reply", "tools", "choice"),
    [
        pytest.param(say("Hi."), [SPEAKER], "auto", id="no-tool-required"),
        pytest.param(say("Hi."), [{"name": "other"}], "required", id="no-such-tool"),
        pytest.param(call_tool("other", {}), [SPEAKER], "required", id="calls-already"),
    ],
)
def test_all_else_stays(reply: Reply, tools: list[dict[str, Any]], choice: str) -> None:
    assert spoken(reply, *tools, tool_choice=choice) == reply
