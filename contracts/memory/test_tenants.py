"""Tenants: what belongs to one organization is neither seen nor changed by the users of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, could_not_run, must
from pytest_letta.conformance.checks import not_a_server_error, refused, status
from pytest_letta.telling import answered

from .operations import CHANGES, ENDINGS, FILTERED, READS, WHOLE, Operation

if TYPE_CHECKING:
    from .conftest import Try
    from .estate import Estate
    from .tenants import User

_WHY = "the server keeps organizations apart, by the header user_id: letta-ai/letta#1755, #2887"


def _cases(*tables: Mapping[str, Operation]) -> list[Any]:
    return [pytest.param(operation, id=case) for table in tables for case, operation in table.items()]


@pytest.mark.parametrize("operation", _cases(READS))
@contract("MEM-TENANT-001", needs=["users", "agents"], because=_WHY)
def test_nothing_is_read_by_an_id_of_another_organization(attempt: Try, estate: Estate, operation: Operation) -> None:
    """Whatever a user asks for by an id of another organization, the answer shows nothing that belongs to it."""
    must(estate.shown_by(attempt(operation)))


@pytest.mark.parametrize("operation", _cases(CHANGES))
@contract("MEM-TENANT-002", needs=["users", "agents"], because=_WHY)
def test_nothing_is_changed_by_a_user_of_another_organization(
    attempt: Try, estate: Estate, own_estate: Estate, stranger: User, operation: Operation
) -> None:
    """Whatever a user does to what belongs to another organization, it stays as it is and is not shown."""
    answer = attempt(operation, watched=True)

    must(estate.changed(operation.text))
    must(estate.shown_by(answer))
    if "{my_agent}" in operation.text:
        must(estate.shown_by(stranger.ask("GET", own_estate.fill("/v1/agents/{agent}"))))


@pytest.mark.parametrize(
    "operation", [case for case in _cases(READS, CHANGES, ENDINGS) if not case.values[0].is_allowed]
)
@contract(
    "MEM-TENANT-003",
    needs=["users", "agents"],
    because="an empty answer, or an error of the server, hides a wrong user or id",
)
def test_an_id_of_another_organization_is_refused(attempt: Try, estate: Estate, operation: Operation) -> None:
    """An id of another organization is refused as one that does not exist, or as one that is forbidden."""
    answer = attempt(operation)

    if answer.is_success and operation.method != "GET":
        estate.abandon()
    must(refused(answer, 401, 403, 404))


@pytest.mark.parametrize("operation", _cases(FILTERED))
@contract("MEM-TENANT-004", needs=["users", "agents"], because=_WHY)
def test_no_list_shows_what_belongs_to_another_organization(
    attempt: Try, estate: Estate, operation: Operation
) -> None:
    """A list or search by which its owner finds a thing shows nothing of it to the user of another organization."""
    answer = attempt(operation)
    found = attempt(operation, by=estate)

    must(estate.shown_by(answer) or not_a_server_error(answer))
    must(status(found))
    if estate.shown_by(found) is None:
        could_not_run(f"its owner does not find it either: {answered(found)}")


@pytest.mark.parametrize("operation", _cases(WHOLE))
@contract("MEM-TENANT-005", needs=["users", "agents"], because=_WHY)
def test_lists_of_a_new_organization_are_empty(attempt: Try, newcomer: User, operation: Operation) -> None:
    """A list or count of all that an organization has is empty where nothing was made yet."""
    answer = attempt(operation, by=newcomer)

    must(status(answer))
    # What belongs to others is not repeated.
    count = answer.json() if isinstance(answer.json(), int) else len(answer.json())
    must(f"GET {operation.path} shows {count} to a new organization" if count else None)
