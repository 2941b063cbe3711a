"""Faults that break the promises of the streaming suite: of the server, of a gateway, of the proxy."""

from __future__ import annotations

from typing import Any

from pytest_letta.faults.catalogue import (
    streaming_ends,
    streaming_heads,
    streaming_modes,
    streaming_proxy,
    streaming_resume,
    streaming_size,
    streaming_stored,
)
from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.events import is_error
from pytest_letta.faults.fault import CataloguedFault, Match, every_nth, together
from pytest_letta.faults.rest import change_status, set_request_field, set_response_field
from pytest_letta.faults.stream import (
    alter_token_text,
    append_after_done,
    buffer_stream,
    change_content_type,
    change_event,
    corrupt_frame,
    drop_event,
    drop_pings,
    duplicate_event,
    join_events,
    remove_done,
    renumber_seq,
    stick_after_error,
    swap_events,
)

_STREAM = Match("POST", "/messages/stream$")
_RESUME = Match("POST", r"/runs/[^/]+/stream$")
_RUN = Match("GET", r"/runs/run-[^/]+$")

_WAYS = ("steps", "tokens")
_REFUSALS = ("refused", "overloaded", "broken")
_FAILURES = (*_REFUSALS, "malformed", "cut")
_SIGNS = ("emoji", "line-ends", "quotes", "markup", "separators")
_TEXTS = ("emoji", "line-ends", "quotes", "spaces", "markup", "right-to-left")


def _rename(message: dict[str, Any]) -> None:
    message["id"] = "message-00000000-0000-4000-8000-000000000000"


def _leave_run(message: dict[str, Any]) -> None:
    message["run_id"] = "run-00000000-0000-4000-8000-000000000000"


def _end_well(message: dict[str, Any]) -> None:
    message["stop_reason"] = "end_turn"


def _shorten_arguments(message: dict[str, Any]) -> None:
    call = message.get("tool_call") or {}
    call["arguments"] = (call.get("arguments") or "")[:-1]


_FRAMES = (
    CataloguedFault(
        name="stream-is-called-json",
        kills=cases("SSE-FRAME-001", *_WAYS),
        reason="content type: expected text/event-stream, got application/json",
        make=lambda: change_content_type("application/json", on=_STREAM),
    ),
    CataloguedFault(
        name="line-of-no-field",
        kills=cases("SSE-FRAME-002", *_WAYS),
        reason="lines that are no field of an event stream|is not JSON|kinds of JSON",
        make=lambda: corrupt_frame("field", on=_STREAM),
    ),
    CataloguedFault(
        name="broken-json",
        kills=cases("SSE-FRAME-002", *_WAYS),
        reason="is not JSON",
        make=lambda: corrupt_frame("json", on=_STREAM),
    ),
    CataloguedFault(
        name="usage-before-stop-reason",
        kills=cases("SSE-ORDER-001", *_WAYS),
        reason="last three events: expected",
        make=lambda: swap_events("stop_reason|usage_statistics", on=_STREAM),
    ),
    CataloguedFault(
        name="no-done",
        kills=(*cases("SSE-END-001", *_WAYS), *cases("SSE-FAIL-002", *_REFUSALS)),
        reason=r"number of \[DONE\].*: expected 1, got 0",
        make=lambda: remove_done(on=_STREAM),
    ),
    CataloguedFault(
        name="something-after-done",
        kills=cases("SSE-END-001", *_WAYS),
        reason=r"last event: expected \[DONE\], got ping",
        make=lambda: append_after_done(on=_STREAM),
    ),
    CataloguedFault(
        name="two-stop-reasons",
        kills=cases("SSE-END-002", *_WAYS),
        reason="closing events: expected",
        make=lambda: duplicate_event("stop_reason", on=_STREAM),
    ),
    CataloguedFault(
        name="no-usage",
        kills=(*cases("SSE-END-002", *_WAYS), "SSE-BACK-003"),
        reason=r"closing events: expected|last messages before \[DONE\]",
        make=lambda: drop_event("usage_statistics", on=_STREAM),
    ),
)

_TEXT = (
    CataloguedFault(
        name="token-altered",
        kills=(*cases("SSE-TEXT-001", *_WAYS), *cases("SSE-TEXT-002", *_TEXTS)),
        reason="text of the stream.*: expected",
        make=lambda: alter_token_text(on=_STREAM),
    ),
    CataloguedFault(
        name="tokens-joined",
        kills=("SSE-TEXT-003",),
        reason="5 tokens came in 1 pieces",
        make=lambda: join_events("assistant_message", on=_STREAM),
    ),
    CataloguedFault(
        name="pieces-under-another-id",
        kills=cases("SSE-IDS-001", *_WAYS),
        reason="ids of the stored messages does not contain",
        make=lambda: change_event("assistant_message", _rename, on=_STREAM),
    ),
    CataloguedFault(
        name="foreign-token",
        kills=("SSE-APART-001",),
        reason="stream of agent 1 of 20 at once: expected marker-00 .*marker-07",
        make=lambda: alter_token_text(extra="marker-07 ", on=_STREAM),
    ),
    CataloguedFault(
        name="no-tool-return",
        kills=cases("SSE-TOOL-001", *_WAYS),
        reason="ids of the returns against the calls: expected",
        make=lambda: drop_event("tool_return_message", on=_STREAM),
    ),
    CataloguedFault(
        name="arguments-cut",
        kills=(*cases("SSE-TOOL-001", *_WAYS), *cases("SSE-TOOL-002", *_SIGNS)),
        reason="the arguments joined are not JSON|arguments in the stream: expected",
        make=lambda: change_event("tool_call_message", _shorten_arguments, on=_STREAM),
    ),
)

_ARRIVAL = (
    CataloguedFault(
        name="server-buffers",
        kills=("SSE-ARRIVAL-001", "SSE-ARRIVAL-003"),
        reason="the stream is held back|before the first token",
        make=lambda: buffer_stream(on=_STREAM),
    ),
    CataloguedFault(
        name="no-first-ping",
        kills=("SSE-ARRIVAL-003",),
        reason="the first event came 0.* s before the first token",
        make=lambda: drop_pings(on=_STREAM),
    ),
)

_BACKGROUND = (
    CataloguedFault(
        name="gap-in-the-numbers",
        kills=("SSE-BACK-001",),
        reason="seq_ids of the stream: expected",
        make=lambda: renumber_seq(on=_STREAM),
    ),
    CataloguedFault(
        name="events-of-another-run",
        kills=("SSE-BACK-002",),
        reason="number of run ids in the stream: expected 1, got 2",
        make=lambda: change_event("assistant_message", _leave_run, nth=0, on=_STREAM),
    ),
    CataloguedFault(
        name="run-is-cancelled-with-its-client",
        kills=("SSE-BACK-004",),
        reason="state of the run after its client left: expected completed, got cancelled",
        make=lambda: set_response_field("status", "cancelled", on=_RUN),
    ),
    CataloguedFault(
        name="resume-skips-an-event",
        kills=tuple(f"SSE-RESUME-{number}" for number in ("001", "002", "007", "008", "009", "010")),
        reason="resume after event .*: 1 missing|text before and after the break|stream of reader .*: 1 missing",
        make=lambda: drop_event("assistant_message", nth=0, on=_RESUME),
    ),
    CataloguedFault(
        name="resume-starts-over",
        # The third is known on healthy servers: here its stream ends, and so the list is stale.
        kills=tuple(f"SSE-RESUME-{number}" for number in ("001", "002", "003", "007", "009", "010")),
        reason="resume after event |text before and after the break|stale known issue",
        make=lambda: set_request_field("starting_after", 0, on=_RESUME),
    ),
)

_FAILING = (
    CataloguedFault(
        name="failure-looks-like-an-end",
        kills=(*cases("SSE-FAIL-001", *_FAILURES),),
        reason="the model failed, and the stream ends as if it had not",
        make=lambda: together(drop_event(is_error, on=_STREAM), change_event("stop_reason", _end_well, on=_STREAM)),
    ),
    CataloguedFault(
        name="error-with-end-turn",
        kills=(*cases("SSE-FAIL-001", *_FAILURES),),
        reason="the stream of a failed turn stops with end_turn",
        make=lambda: change_event("stop_reason", _end_well, on=_STREAM),
    ),
    CataloguedFault(
        name="agent-is-stuck-after-a-failure",
        kills=(*cases("SSE-FAIL-004", *_FAILURES),),
        reason="answer after a failed turn: expected",
        make=lambda: stick_after_error(on=_STREAM),
    ),
    CataloguedFault(
        name="agent-is-stuck-after-a-client-left",
        kills=("SSE-LEAVE-001", "SSE-LEAVE-002"),
        reason="answered 409",
        make=lambda: every_nth(2, change_status(409, body=b'{"detail":"CONFLICT"}', on=_STREAM)),
    ),
)

FAULTS = (
    *(*_FRAMES, *_TEXT, *_ARRIVAL, *_BACKGROUND, *_FAILING),
    *(*streaming_ends.FAULTS, *streaming_modes.FAULTS, *streaming_resume.FAULTS, *streaming_size.FAULTS),
    *(*streaming_heads.FAULTS, *streaming_proxy.FAULTS, *streaming_stored.FAULTS),
)
