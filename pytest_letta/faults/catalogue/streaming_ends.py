"""Faults that break how streams are refused, cancelled, left, and how they fare without Redis."""

from __future__ import annotations

from typing import Any

from pytest_letta.faults.fault import CataloguedFault, Match
from pytest_letta.faults.rest import answer, change_status, drop_list_item, set_request_field, set_response_field
from pytest_letta.faults.stream import change_event, remove_done

_STREAM = Match("POST", "/messages/stream$")
_RESUME = Match("POST", r"/runs/[^/]+/stream$")
_CANCEL = Match("POST", "/messages/cancel$")
_RUN = Match("GET", r"/runs/run-[^/]+$")
_HISTORY = Match("GET", "/messages$")
_NO_REDIS = b'{"detail":"Background streaming requires Redis to be running."}'


def _end_well(message: dict[str, Any]) -> None:
    message["stop_reason"] = "end_turn"


_CANCELLED = (
    CataloguedFault(
        name="cancel-acknowledged-but-not-done",
        # The third is known on healthy servers: a stream that goes on has its [DONE], so the list is stale.
        kills=(
            "SSE-CANCEL-001[foreground]",
            "SSE-CANCEL-001[background]",
            "SSE-CANCEL-002[foreground]",
            "SSE-CANCEL-003",
        ),
        reason="stop reasons of the cancelled stream: expected|stale known issue|expected cancelled, got completed",
        make=lambda: answer(200, b'{"run-1":"cancelled"}', on=_CANCEL),
    ),
    CataloguedFault(
        name="cancelled-looks-like-an-end",
        kills=("SSE-CANCEL-001[foreground]", "SSE-CANCEL-001[background]"),
        reason="stop reasons of the cancelled stream: expected .*end_turn",
        make=lambda: change_event("stop_reason", _end_well, on=_STREAM),
    ),
    CataloguedFault(
        name="no-done-after-a-cancel",
        kills=("SSE-CANCEL-002[background]",),
        reason=r"number of \[DONE\] after a cancel: expected 1, got 0",
        make=lambda: remove_done(on=_STREAM),
    ),
    CataloguedFault(
        name="cancelled-run-counts-as-completed",
        kills=("SSE-CANCEL-003",),
        reason="state of the run after the cancel: expected cancelled, got completed",
        make=lambda: set_response_field("status", "completed", on=_RUN),
    ),
)

_REFUSED = (
    CataloguedFault(
        name="refused-turns-answer-200",
        kills=(
            "SSE-REFUSE-001[no-message]",
            "SSE-REFUSE-001[unknown-role]",
            "SSE-REFUSE-001[no-content]",
            "SSE-REFUSE-002",
        ),
        reason="answered 200: .*expected 4",
        make=lambda: change_status(200, only=(404, 422), on=_STREAM),
    ),
    CataloguedFault(
        name="refused-resumes-answer-200",
        kills=("SSE-RESUME-004[unknown]", "SSE-RESUME-004[malformed]", "SSE-RESUME-005"),
        reason="answered 200: .*expected 4",
        make=lambda: change_status(200, only=(400, 404), on=_RESUME),
    ),
)

_LEFT = (
    CataloguedFault(
        name="answer-lost-when-the-client-left",
        kills=("SSE-LEAVE-001", "SSE-LEAVE-002"),
        reason="answers stored, one of a run that is completed, does not contain 1-0 1-1",
        make=lambda: drop_list_item(-1, on=_HISTORY),
    ),
    CataloguedFault(
        name="pings-cannot-be-left-out",
        kills=("SSE-PING-001",),
        reason="number of pings with include_pings false: expected 0, got 1",
        make=lambda: set_request_field("include_pings", True, on=_STREAM),
    ),
)

_REDIS = (
    CataloguedFault(
        name="missing-redis-is-a-server-error",
        kills=("SSE-REDIS-001",),
        reason="answered 500: .*expected 503",
        make=lambda: change_status(500, only=503, on=_STREAM),
    ),
    CataloguedFault(
        name="missing-redis-is-not-named",
        kills=("SSE-REDIS-001",),
        reason="expected a text that names 'redis'",
        make=lambda: change_status(503, only=503, body=b'{"detail":"Service unavailable"}', on=_STREAM),
    ),
    CataloguedFault(
        name="redis-that-is-back-is-not-seen",
        # The first is known on healthy servers: here its turn is refused with 503, so the list is stale.
        kills=("SSE-REDIS-002", "SSE-REDIS-003", "SSE-REDIS-004[in-order]"),
        reason="stale known issue|answered 503.*expected 200",
        make=lambda: answer(503, _NO_REDIS, on=_STREAM),
    ),
)

FAULTS = (*_CANCELLED, *_REFUSED, *_LEFT, *_REDIS)
