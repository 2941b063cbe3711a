"""Faults that the official client meets: part of the REST suite's catalogue."""

from __future__ import annotations

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.fault import CataloguedFault, Match
from pytest_letta.faults.memory import ignore_cursors
from pytest_letta.faults.rest import answer, change_status, rename_response_field
from pytest_letta.faults.stream import drop_event

_GONE = b'{"detail": "Not Found"}'
_CLIENTS = ("own", "newest")
_REFUSED = "unknown-agent unknown-block unknown-tool malformed-id wrong-type unknown-model no-model"
_WALKS = "agents blocks agent-blocks archives"
_LISTS = Match("GET", r"/(agents|blocks|archives)/$|/core-memory/blocks$")


def _cases(id: str, names: str = "") -> tuple[str, ...]:
    """Return the cases of either client: of the contract alone, or those `names` of it."""
    of_client = [f"{client}-{name}" if name else client for client in _CLIENTS for name in names.split() or [""]]
    return cases(id, " ".join(of_client))


#: What a server that asks for no password breaks: a run with a password shows it.
OF_AN_OPEN_SERVER = _cases("REST-SDK-007")

OF_CLIENTS = (
    CataloguedFault(
        name="agents-renamed-under-the-client",
        kills=_cases("REST-SDK-001"),
        reason="description is missing|description is None",
        make=lambda: rename_response_field("description", "about", on=Match(path=r"/agents/(agent-[^/]+)?$")),
    ),
    CataloguedFault(
        name="stop-reason-renamed-under-the-client",
        kills=_cases("REST-SDK-002"),
        reason="^stop reason: expected end_turn, got None",
        make=lambda: rename_response_field("stop_reason", "reason", on=Match("POST", "/messages$")),
    ),
    CataloguedFault(
        name="usage-lost-on-its-way-to-the-client",
        kills=_cases("REST-SDK-003", "steps tokens create"),
        reason="^the last two events: expected",
        make=lambda: drop_event("usage_statistics"),
    ),
    CataloguedFault(
        name="blocks-renamed-under-the-client",
        kills=_cases("REST-SDK-004"),
        reason="value is missing|value is None",
        make=lambda: rename_response_field("value", "text", on=Match(path="/core-memory/blocks/human$")),
    ),
    CataloguedFault(
        name="archival-moved-away-from-the-client",
        kills=_cases("REST-SDK-005"),
        reason="the client raised NotFoundError",
        make=lambda: answer(404, _GONE, on=Match(path="/archival-memory/search$")),
    ),
    CataloguedFault(
        name="refusals-of-another-status",
        kills=_cases("REST-SDK-006", _REFUSED),
        reason=r"expected \('\w+', \d+\), got \('ConflictError', 409\)",
        make=lambda: change_status(409, only=(400, 404, 422)),
    ),
    CataloguedFault(
        name="client-reads-the-first-page-for-ever",
        kills=_cases("REST-SDK-009", _WALKS),
        reason="missing|repeats",
        make=lambda: ignore_cursors(on=_LISTS),
    ),
)
