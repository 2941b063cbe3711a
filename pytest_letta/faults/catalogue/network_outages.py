"""Faults of a server whose database, Redis, model or proxy goes and comes back."""

from __future__ import annotations

from pytest_letta.faults.fault import CataloguedFault, Match, every_nth
from pytest_letta.faults.memory import once_seen
from pytest_letta.faults.net import hang_up
from pytest_letta.faults.rest import answer, change_status
from pytest_letta.faults.sessions import IDLE, STUCK, LeftSessions, held_while_the_model_thinks
from pytest_letta.faults.stack import StackFault
from pytest_letta.faults.stream import drop_event
from pytest_letta.faults.writes import swallow_write

_ONE_AGENT = Match("GET", r"/v1/agents/agent-[^/]+$")
_BLOCKS = Match("GET", "/core-memory/blocks$")
_EDIT = Match("PATCH", "/core-memory/blocks/human$")
_HEALTH = Match("GET", "/v1/health/$")
_TURN = Match("POST", "/messages$")
_STREAM = Match("POST", "/messages/stream$")
_DETAIL = b'{"detail": "An unknown error occurred"}'
_TRACE = (
    b'{"detail": "Traceback (most recent call last):\\n  connect(postgresql://letta:secret@letta-postgres/letta)"}'
)
_BOTH = ("NET-DATABASE-001[killed]", "NET-DATABASE-001[paused]")

_DATABASE = (
    CataloguedFault(
        name="agent-is-not-found-without-database",
        kills=("NET-DATABASE-001[killed]",),
        reason="read: .*answered 404.*expected success or a server error",
        make=lambda: change_status(404, only=500, on=_ONE_AGENT),
    ),
    CataloguedFault(
        name="error-shows-the-inside",
        kills=("NET-DATABASE-001[killed]",),
        reason="it shows 'Traceback .most recent' of the inside",
        make=lambda: change_status(500, only=500, body=_TRACE),
    ),
    CataloguedFault(
        name="health-fails-under-load",
        kills=_BOTH,
        reason="/v1/health/ answered 500",
        make=lambda: once_seen(answer(500, _DETAIL, on=_HEALTH), on=_EDIT),
    ),
    CataloguedFault(
        name="server-hangs-up-now-and-then",
        kills=_BOTH,
        reason="list: there was no answer",
        make=lambda: every_nth(2, hang_up(on=_BLOCKS)),
    ),
    CataloguedFault(
        name="edits-are-acknowledged-and-not-done",
        kills=("NET-DATABASE-002",),
        reason=r"edit \d+ was acknowledged, the block is 'Name unknown.'",
        make=lambda: swallow_write("merged", on=_EDIT),
    ),
)


_stuck, _idle = LeftSessions(2, STUCK), LeftSessions(20, IDLE)

_LEAKS = (
    StackFault(
        name="sessions-stay-in-transactions",
        kills=("NET-DATABASE-002", "NET-SESSION-001"),
        reason=r"sessions are stuck: idle in transaction for \d+ s after",
        after={"start": _stuck.leave, "resume": _stuck.leave},
        during=_stuck.during,
    ),
    StackFault(
        name="sessions-are-not-closed",
        kills=("NET-SESSION-001",),
        reason=r"the database has \d+ sessions, \d+ before",
        after={"resume": _idle.leave},
        during=_idle.during,
    ),
    StackFault(
        name="transaction-is-held-while-the-model-thinks",
        kills=("NET-SESSION-002",),
        reason=r"sessions are stuck: idle in transaction for \d+ s after",
        during=held_while_the_model_thinks,
    ),
)

_OTHERS = (
    CataloguedFault(
        name="edits-need-redis",
        kills=("NET-REDIS-001[killed]", "NET-REDIS-001[paused]"),
        reason="edit: PATCH .* answered 500.*expected success",
        make=lambda: every_nth(2, answer(500, _DETAIL, on=_EDIT)),
    ),
    CataloguedFault(
        name="failed-turn-counts-as-done",
        kills=("NET-MODEL-001",),
        reason="/messages answered 200.*expected 500",
        make=lambda: change_status(200, only=500, on=_TURN),
    ),
    CataloguedFault(
        name="failed-stream-has-no-error",
        kills=("NET-MODEL-001",),
        reason="whose model fails ended with 0 errors",
        make=lambda: drop_event("error_message", on=_STREAM),
    ),
    StackFault(
        name="proxy-is-restarted-in-place-of-a-reload",
        kills=("NET-RELOAD-001", "NET-RELOAD-002"),
        reason="the stream broke off after|there was no answer",
        after={"reload": lambda stack: stack.restart("nginx")},
    ),
)

FAULTS: tuple[CataloguedFault | StackFault, ...] = (*_DATABASE, *_LEAKS, *_OTHERS)
