"""Faults of proxies that break the body of a stream: each kills what is asked through the proxy and nothing else."""

from __future__ import annotations

import time
from typing import Any

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.events import Block, Blocks, OnEvents, is_error
from pytest_letta.faults.fault import CataloguedFault, CutError, Fault, Match, Request
from pytest_letta.faults.stream import (
    buffer_stream,
    change_event,
    corrupt_frame,
    cut_after,
    drop_event,
    drop_pings,
    end_clean_after,
)

_STREAM = Match("POST", "/messages/stream$")
_RESUME = Match("POST", r"/runs/[^/]+/stream$")
_ANY = Match("POST", r"/stream$|/conversations/[^/]+/messages$|/chat/completions$")
_SILENCE_S = 2.0

_WAYS = ("proxied-steps", "proxied-tokens")
_THREE = (*_WAYS, "proxied-background")
_CANCELS = ("proxied-foreground", "proxied-background")
_FAILURES = ("proxied-refused", "proxied-malformed", "proxied-cut")
_TEXTS = tuple(f"proxied-{case}" for case in ("emoji", "line-ends", "quotes", "spaces", "markup", "right-to-left"))
_ALL_MODES = (*_THREE, "proxied-resumed", "proxied-conversation")


def _is_piece(block: Block) -> bool:
    message = block.message
    return message.get("message_type") == "assistant_message" or "choices" in message


def _leave_run(message: dict[str, Any]) -> None:
    message["run_id"] = "run-00000000-0000-4000-8000-000000000000"


def _cut_silence() -> Fault:
    """Close the connection where nothing came for a while, as ``proxy_read_timeout`` does."""

    def change(request: Request, blocks: Blocks) -> Blocks:
        last = time.monotonic()
        for block in blocks:
            if time.monotonic() - last > _SILENCE_S:
                raise CutError("the fault cuts a silent stream")
            yield block
            last = time.monotonic()

    return OnEvents(change, on=_STREAM)


def _recode() -> Fault:
    """Write the text anew in a charset that has not all of its signs."""

    def change(request: Request, blocks: Blocks) -> Blocks:
        return (Block(block.raw.decode().encode("latin-1", "replace").decode("latin-1").encode()) for block in blocks)

    return OnEvents(change, on=_ANY)


_ENDS = (
    CataloguedFault(
        name="proxy-cuts-streams",
        kills=("SSE-ARRIVAL-002", "SSE-ARRIVAL-004", "SSE-PROXY-001", "SSE-PROXY-002"),
        reason="(peer closed connection|incomplete).*nginx.*proxy_read_timeout 3600s",
        make=lambda: cut_after(2, on=_STREAM),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-ends-streams-early",
        kills=(
            *cases("SSE-END-001", *_WAYS),
            *cases("SSE-END-002", *_WAYS),
            "SSE-CHAT-001[proxied]",
            "SSE-CHAT-002[proxied]",
        ),
        reason=r"(number of \[DONE\]|closing events|finish reasons|text of the chat).*nginx.*proxy_read_timeout",
        make=lambda: end_clean_after(3, on=_ANY),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-cuts-silent-streams",
        kills=("SSE-ARRIVAL-004",),
        reason="(peer closed connection|incomplete).*nginx.*proxy_read_timeout 3600s",
        make=_cut_silence,
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-buffers",
        kills=("SSE-ARRIVAL-002", *cases("SSE-CANCEL-001", *_CANCELS)),
        reason="nginx.*proxy_buffering off",
        make=lambda: buffer_stream(on=_STREAM),
        via="proxy",
    ),
)

_BODIES = (
    CataloguedFault(
        name="proxy-eats-pings",
        kills=("SSE-PROXY-002",),
        reason="begins with a ping or a comment directly, not through the proxy.*nginx",
        make=lambda: drop_pings(on=_ANY),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-adds-lines",
        kills=cases("SSE-FRAME-002", *_WAYS),
        reason="lines that are no field of an event stream",
        make=lambda: corrupt_frame("field", on=_STREAM),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-loses-the-stop-reason",
        kills=(
            *cases("SSE-ORDER-001", *_WAYS),
            *cases("SSE-END-002", *_WAYS),
            *cases("SSE-CONV-001", *_THREE),
            *cases("SSE-CANCEL-001", *_CANCELS),
            "SSE-BACK-003[proxied]",
        ),
        reason="last three events|closing events|last messages before|stop reasons of the cancelled stream",
        make=lambda: drop_event("stop_reason", on=_ANY),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-loses-a-token",
        kills=(
            "SSE-BACK-001[proxied]",
            "SSE-BACK-003[proxied]",
            "SSE-CHAT-002[proxied]",
            *cases("SSE-TEXT-002", *_TEXTS),
            "SSE-TEXT-003[proxied]",
        ),
        reason="seq_ids of the stream|answers stored against|text of the (chat )?stream|5 tokens came in 4 pieces",
        make=lambda: drop_event(_is_piece, nth=1, on=_ANY),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-loses-signs",
        kills=(
            *cases("SSE-TEXT-002", "proxied-emoji", "proxied-right-to-left"),
            *cases("SSE-SIZE-002", *_THREE),
            *cases("SSE-STORED-001", *_ALL_MODES),
        ),
        reason=r"text of the stream: expected|messages of the stream against those stored: .*nginx.*no charset",
        make=_recode,
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-loses-errors",
        kills=cases("SSE-FAIL-001", *_FAILURES),
        reason="the model failed, and the stream ends as if it had not",
        make=lambda: drop_event(is_error, on=_ANY),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-mixes-streams",
        kills=("SSE-BACK-002[proxied]",),
        reason="number of run ids in the stream: expected 1, got 2",
        make=lambda: change_event("assistant_message", _leave_run, nth=0, on=_STREAM),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-loses-an-event-of-resumes",
        kills=("SSE-RESUME-001[proxied]", "SSE-RESUME-002[proxied]"),
        reason="resume after event .*: 1 missing|text before and after the break",
        make=lambda: drop_event("assistant_message", nth=0, on=_RESUME),
        via="proxy",
    ),
)

FAULTS = (*_ENDS, *_BODIES)
