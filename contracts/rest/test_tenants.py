"""Organizations beside each other: what the one has, the other does not see, change, count or stand in its way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, lacks, refused, status, unchanged

from .resources import KINDS, Shop

if TYPE_CHECKING:
    from ..memory.tenants import User
    from .asking import Ask

    AskAs = Callable[[User], Ask]
    OpenShop = Callable[[Ask], Shop]

_WHY = "the server keeps organizations apart, by the header user_id: letta-ai/letta#1755, #2887"
_NEEDS = ["users", "tools"]
#: The others are looked at by the contracts MEM-TENANT of the memory suite.
_APART = ["groups", "identities", "providers", "sources"]
_NAMED = [name for name, kind in KINDS.items() if "$name" in str(kind.selects) or "$word" in str(kind.selects)]


@pytest.mark.parametrize("kind", _APART)
@contract("REST-TENANT-001", needs=_NEEDS, because=_WHY)
def test_id_of_another_organization_is_refused(shop: Shop, ask_as: AskAs, stranger: User) -> None:
    """Reading, updating or deleting what another organization has is refused, and it stays as it is."""
    made = shop.make()
    before = shop.read(made)
    update = shop.fill(next(iter(shop.kind.updates.values())))

    for method, body in (("GET", None), ("PATCH", update), ("DELETE", None)):
        must(refused(ask_as(stranger)(method, made.path, body), 404, 401, 403))
    must(unchanged(before, shop.read(made), "what another organization asked for"))


@pytest.mark.parametrize("kind", _APART)
@contract("REST-TENANT-002", needs=_NEEDS, because=_WHY)
def test_list_shows_nothing_of_another_organization(shop: Shop, ask_as: AskAs, stranger: User) -> None:
    """A list, by whatever filter its owner finds a thing, shows nothing of it to the user of another organization."""
    made, ask = shop.make(), ask_as(stranger)
    queries = [made.selects or {}, *(case["finds"] for case in made.filters.values())]

    for query in queries:
        if shop.takes("GET", shop.kind.path, *query):
            answer = ask("GET", shop.kind.path, **query)
            must(status(answer))
            must(lacks([one["id"] for one in answer.json()], made.id, f"list of another organization by {query}"))


@pytest.mark.parametrize("kind", _NAMED)
@contract(
    "REST-TENANT-003", needs=_NEEDS, because="a name that is taken elsewhere says that somebody has it, and bars it"
)
def test_name_of_another_organization_is_free(ask: Ask, ask_as: AskAs, open_shop: OpenShop, stranger: User) -> None:
    """What two organizations call by one name is two things: made by both, and each is found by its own."""
    mine, theirs = open_shop(ask), open_shop(ask_as(stranger))
    made = mine.make()

    answer = theirs.send(made.sent)

    must(status(answer, 200, 201))
    must(equal([made.id], mine.selected(made.selects or {}), "what is found by the name"))
    must(equal([answer.json()["id"]], theirs.selected(made.selects or {}), "what the other finds by the name"))


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.count])
@contract(
    "REST-COUNT-001", needs=_NEEDS, because="a count that differs from the list makes an operator believe in a loss"
)
def test_count_goes_with_what_is_made_and_deleted(ask_as: AskAs, open_shop: OpenShop, stranger: User) -> None:
    """The count of a kind is the length of its list, where all is ours; by a filter, that of what it selects."""
    shop = open_shop(ask_as(stranger))
    there = _counted(shop)
    first, _ = shop.make(), shop.make()
    must(equal(there + 2, _counted(shop), "count after two were made"))
    if first.selects and shop.takes("GET", shop.kind.count or "", *first.selects):
        counted = shop.ask("GET", shop.kind.count, **first.selects)
        must(status(counted) or equal(1, counted.json(), f"count by {dict(first.selects)}"))

    must(status(shop.ask("DELETE", first.path), 200, 202, 204))

    must(equal(there + 1, _counted(shop), "count after one of them was deleted"))


def _counted(shop: Shop) -> int:
    """Return the count, which must be the length of the list."""
    # In this order: the first list of the tools of an organization brings those of Letta into it.
    listed, answer = shop.whole(), shop.ask("GET", shop.kind.count)
    must(status(answer) or equal(len(listed), answer.json(), "count, against the length of the list"))
    return len(listed)
