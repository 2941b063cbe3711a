"""Faults that have a stream differ from what is stored."""

from __future__ import annotations

from typing import Any

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.fault import CataloguedFault, Match
from pytest_letta.faults.rest import drop_list_item
from pytest_letta.faults.stream import change_event

_ANY = Match("POST", r"/stream$|/conversations/[^/]+/messages$|/chat/completions$")
_HISTORY = Match("GET", "/messages$")

_MODES = ("steps", "tokens", "background", "resumed", "conversation")


def _change_return(message: dict[str, Any]) -> None:
    message["tool_return"] = "done"


def _rename_call(message: dict[str, Any]) -> None:
    call = message.get("tool_call") or {}
    if call.get("tool_call_id"):
        call["tool_call_id"] = "call_0"


FAULTS = (
    CataloguedFault(
        name="other-return-in-the-stream",
        kills=cases("SSE-STORED-001", *_MODES),
        reason="messages of the stream against those stored: 1 missing .*tool_return_message.*1 unexpected .*done",
        make=lambda: change_event("tool_return_message", _change_return, on=_ANY),
    ),
    CataloguedFault(
        name="other-call-in-the-stream",
        kills=cases("SSE-STORED-001", *_MODES),
        reason="messages of the stream against those stored: 1 missing .*tool_call_message.*1 unexpected .*call_0",
        make=lambda: change_event("tool_call_message", _rename_call, on=_ANY),
    ),
    CataloguedFault(
        name="last-message-not-stored",
        kills=cases("SSE-STORED-001", *_MODES),
        reason="messages of the stream against those stored: 0 missing .*1 unexpected .*assistant_message",
        make=lambda: drop_list_item(-1, on=_HISTORY),
    ),
)
