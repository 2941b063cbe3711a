"""Faults that break long answers, signs in arguments, and streams at once."""

from __future__ import annotations

from typing import Any

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.events import Block, Blocks, OnEvents
from pytest_letta.faults.fault import CataloguedFault, Fault, Match, Request
from pytest_letta.faults.rest import change_status, drop_list_item
from pytest_letta.faults.stream import alter_token_text, change_event

_STREAM = Match("POST", "/messages/stream$")
_CONVERSATION = Match("POST", r"/conversations/[^/]+/messages$")
_EITHER = Match("POST", r"/messages/stream$|/conversations/[^/]+/messages$")
_HISTORY = Match("GET", r"/agents/[^/]+/messages$")

_THREE = ("steps", "tokens", "background")
_TWO = ("foreground", "background")
_MOST_TOKENS = 2000
_MOST_CHARACTERS = 16 * 1024
_MOST_BYTES = 2 * 1024 * 1024


def _is_answer(block: Block) -> bool:
    return block.message.get("message_type") == "assistant_message"


def _shorten(message: dict[str, Any]) -> None:
    message["content"] = (message.get("content") or "")[:_MOST_CHARACTERS]


def _leave_ascii(message: dict[str, Any]) -> None:
    call = message.get("tool_call") or {}
    call["arguments"] = (call.get("arguments") or "").encode("ascii", "ignore").decode()


def _keep_tokens(request: Request, blocks: Blocks) -> Blocks:
    count = 0
    for block in blocks:
        count += _is_answer(block)
        if count <= _MOST_TOKENS or not _is_answer(block):
            yield block


def _keep_bytes(request: Request, blocks: Blocks) -> Blocks:
    sent = 0
    for block in blocks:
        sent += len(block.raw)
        if sent <= _MOST_BYTES or not _is_answer(block):
            yield block


def _on_answer(edit: Any, on: Match) -> Fault:
    return change_event(_is_answer, edit, on=on)


_SIZES = (
    CataloguedFault(
        name="tokens-beyond-2000-lost",
        kills=("SSE-SIZE-001[tokens]", "SSE-SIZE-001[background]"),
        reason="text of the stream: expected .* they part at",
        make=lambda: OnEvents(_keep_tokens, on=_STREAM),
    ),
    CataloguedFault(
        name="events-cut-at-16-KiB",
        kills=("SSE-SIZE-001[steps]", *cases("SSE-SIZE-002", *_THREE)),
        reason="text of the stream: expected .* got 16,384; they part at 16,384",
        make=lambda: _on_answer(_shorten, _STREAM),
    ),
    CataloguedFault(
        name="long-answers-not-stored",
        kills=(*cases("SSE-SIZE-001", *_THREE), *cases("SSE-SIZE-002", *_THREE)),
        reason="number of answers stored: expected 1, got 0",
        make=lambda: drop_list_item(-1, on=_HISTORY),
    ),
    CataloguedFault(
        name="arguments-in-ascii",
        # The arguments of the first have an otter in them; in whole messages they are escaped already.
        kills=("SSE-TOOL-001[tokens]", "SSE-TOOL-002[emoji]", "SSE-TOOL-002[separators]"),
        reason="arguments of the call: expected|arguments in the stream: expected",
        make=lambda: change_event("tool_call_message", _leave_ascii, on=_STREAM),
    ),
)

_AT_ONCE = (
    CataloguedFault(
        name="token-of-the-other-stream",
        kills=(*cases("SSE-TWO-001", *_TWO), *cases("SSE-TWO-002", *_TWO)),
        reason="text of the first stream: expected amber .*cobalt",
        make=lambda: alter_token_text(extra="cobalt ", on=_EITHER),
    ),
    CataloguedFault(
        name="second-answer-not-stored",
        kills=cases("SSE-TWO-001", *_TWO),
        reason="answers stored of two streams at once: 1 missing",
        make=lambda: drop_list_item(-1, on=_HISTORY),
    ),
    CataloguedFault(
        name="conflict-is-a-server-error",
        kills=cases("SSE-TWO-002", *_TWO),
        reason="answered 500: .*expected 409",
        make=lambda: change_status(500, only=409, on=_CONVERSATION),
    ),
    CataloguedFault(
        name="what-outgrows-2-MiB-is-lost",
        kills=cases("SSE-SLOW-001", *_TWO),
        reason="text of the stream to a slow reader: .* missing",
        make=lambda: OnEvents(_keep_bytes, on=_STREAM),
    ),
)

FAULTS = (*_SIZES, *_AT_ONCE)
