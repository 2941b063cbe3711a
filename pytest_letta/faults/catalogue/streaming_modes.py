"""Faults that break streams by other doors, and their pings."""

from __future__ import annotations

import json
from typing import Any

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.events import Block, Blocks, OnEvents
from pytest_letta.faults.fault import CataloguedFault, Match, Request
from pytest_letta.faults.rest import change_status, drop_list_item
from pytest_letta.faults.stream import (
    alter_token_text,
    change_event,
    drop_event,
    drop_pings,
    duplicate_event,
    remove_done,
)

_STREAM = Match("POST", "/messages/stream$")
_CONVERSATION = Match("POST", r"/conversations/[^/]+/messages$")
_CHAT = Match("POST", "/chat/completions$")
_RESUME = Match("POST", r"/runs/[^/]+/stream$")
_HISTORY = Match("GET", r"/agents/[^/]+/messages$")

_THREE = ("steps", "tokens", "background")


def _alter_delta(message: dict[str, Any]) -> None:
    delta = message["choices"][0]["delta"]
    delta["content"] = f"{delta.get('content') or ''}#"


def _finish_otherwise(message: dict[str, Any]) -> None:
    message["choices"][0]["finish_reason"] = message["choices"][0]["finish_reason"] and "end_turn"


def _end_well(request: Request, blocks: Blocks) -> Blocks:
    """Finish a chat that broke off, as a gateway does that is to hide it."""
    is_done = False
    for block in blocks:
        is_done = block.is_done
        yield block
    if not is_done:
        choice = {"index": 0, "delta": {}, "finish_reason": "stop"}
        chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [choice]}
        yield Block(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode())


_CONVERSATIONS = (
    CataloguedFault(
        name="conversation-has-two-usages",
        # What is resumed is compared with the stream that had one too many.
        kills=(*cases("SSE-CONV-001", *_THREE), "SSE-CONV-003"),
        reason="closing events of the conversation's stream: expected|resume of the conversation's run",
        make=lambda: duplicate_event("usage_statistics", on=_CONVERSATION),
    ),
    CataloguedFault(
        name="conversation-without-done",
        kills=(*cases("SSE-CONV-001", *_THREE), "SSE-CONV-003"),
        reason="closing events of the conversation's stream: expected|resume of the conversation's run",
        make=lambda: remove_done(on=_CONVERSATION),
    ),
    CataloguedFault(
        name="conversation-token-altered",
        kills=(*cases("SSE-CONV-002", *_THREE), "SSE-CONV-003"),
        reason="text of the conversation's stream: expected|resume of the conversation's run",
        make=lambda: alter_token_text(on=_CONVERSATION),
    ),
    CataloguedFault(
        name="conversation-resume-skips-an-event",
        kills=("SSE-CONV-003",),
        reason="resume of the conversation's run after event .*: 1 missing",
        make=lambda: drop_event("assistant_message", nth=0, on=_RESUME),
    ),
)

_CHATS = (
    CataloguedFault(
        name="chat-without-done",
        kills=("SSE-CHAT-001",),
        reason=r"number of \[DONE\]: expected 1, got 0",
        make=lambda: remove_done(on=_CHAT),
    ),
    CataloguedFault(
        name="chat-finishes-in-words-of-its-own",
        # The last one is known on healthy servers: here its finish reason is another, and so the list is stale.
        kills=("SSE-CHAT-001", "SSE-CHAT-003[refused]"),
        reason="finish reasons of the chat stream: expected .*end_turn|stale known issue",
        make=lambda: change_event(lambda block: "choices" in block.message, _finish_otherwise, on=_CHAT),
    ),
    CataloguedFault(
        name="chat-token-altered",
        kills=("SSE-CHAT-002",),
        reason="text of the chat stream: expected",
        make=lambda: change_event(lambda block: "choices" in block.message, _alter_delta, nth=0, on=_CHAT),
    ),
    CataloguedFault(
        name="chat-not-stored",
        kills=("SSE-CHAT-002",),
        reason="answers stored after the chat stream: expected",
        make=lambda: drop_list_item(-1, on=_HISTORY),
    ),
    CataloguedFault(
        name="broken-chat-finishes-well",
        kills=("SSE-CHAT-003[cut]",),
        reason="the model failed, and the chat stream finishes as if it had not: text 'one two'",
        make=lambda: OnEvents(_end_well, on=_CHAT),
    ),
    CataloguedFault(
        name="refused-chats-answer-200",
        kills=cases("SSE-CHAT-004", "unknown-agent", "no-agent", "no-message"),
        reason="answered 200: .*expected 4",
        make=lambda: change_status(200, only=(400, 404, 422), on=_CHAT),
    ),
)

_PINGS = (
    CataloguedFault(
        name="silence-of-a-background-stream",
        kills=("SSE-PING-002",),
        reason="the background stream held neither ping nor comment",
        make=lambda: drop_pings(on=_STREAM),
    ),
    CataloguedFault(
        name="silence-of-a-resume",
        kills=("SSE-PING-002",),
        reason="the resume of the background stream held neither ping nor comment",
        make=lambda: drop_pings(on=_RESUME),
    ),
)

FAULTS = (*_CONVERSATIONS, *_CHATS, *_PINGS)
