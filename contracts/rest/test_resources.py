"""Resources of every kind: what was sent comes back, is listed, changes as asked and goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import (
    contains,
    echoed,
    equal,
    lacks,
    refused,
    same_set,
    status,
    unchanged,
)

from .resources import KINDS, Kind, Shop

if TYPE_CHECKING:
    from pytest_letta.agent import Agent

    from .asking import Ask

_EACH = pytest.mark.parametrize("kind", KINDS)
_BECAUSE = "what an integration wrote into a server it must be able to read back, or it has lost it"
#: What says when and by whom, and moves by itself.
_STAMPS = ("updated_at", "last_updated_by_id")


def _seen(kind: Kind, sent: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in sent.items() if field not in kind.unseen}


@_EACH
@contract("REST-RESOURCE-001", because=_BECAUSE)
def test_what_was_sent_comes_back(shop: Shop) -> None:
    """Making a resource gives back every field that was sent, and reading it gives the same as making it did."""
    made = shop.make()

    must(echoed(_seen(shop.kind, made.sent), made.state, "the new resource"))
    must(unchanged(made.state, shop.read(made), "reading the new resource", but=[*_STAMPS, *shop.kind.moves]))


@_EACH
@contract("REST-RESOURCE-002", because="what is not in the list is lost to whoever does not know its id")
def test_new_resource_is_listed_as_it_is_read(shop: Shop) -> None:
    """The list has a new resource once, with the fields that reading it gives."""
    made = shop.make()

    listed = [one for one in shop.listed_beside(made) if one.get("id") == made.id]

    must(equal(1, len(listed), "number of times that the list has the new resource"))
    must(unchanged(shop.read(made), listed[0], "listing the new resource", but=[*_STAMPS, *shop.kind.moves]))


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.selects])
@contract("REST-RESOURCE-003", because="on a shared server a filter that takes too much shows what belongs to others")
def test_filter_selects_exactly(shop: Shop) -> None:
    """Listing by what tells a resource apart gives that resource alone; by what none has, nothing."""
    made, other, _ = shop.make(), shop.make(), shop.make(elsewhere=True)
    assert made.selects is not None

    must(_selects(shop, made.selects, [made.id] if made.selects != other.selects else [made.id, other.id]))
    if shop.kind.is_exact:
        for near in (lambda text: f"{text}-longer", lambda text: text[:-1], str.upper):
            must(_selects(shop, {key: near(value) for key, value in made.selects.items()}, []))


def _selects(shop: Shop, query: Mapping[str, str], expected: list[str]) -> str | None:
    return same_set(expected, shop.selected(query), f"ids listed by {dict(query)}")


@pytest.mark.parametrize(
    ("kind", "case"),
    [pytest.param(name, case, id=f"{name}-{case}") for name, kind in KINDS.items() for case in kind.filters],
)
@contract(
    "REST-RESOURCE-009", because="a filter that is ignored shows all that there is, and one that is lost nothing"
)
def test_further_filters_select_exactly(shop: Shop, case: str) -> None:
    """A list by any of its filters gives the resource that has what is asked for alone, or by another value none."""
    made, _ = shop.make(), shop.make()
    finds, misses = made.filters[case]["finds"], made.filters[case]["misses"]

    must(_selects(shop, finds, [made.id]))
    must(_selects(shop, {**finds, **misses}, []))


@pytest.mark.parametrize(
    ("kind", "case"),
    [pytest.param(name, case, id=f"{name}-{case}") for name, kind in KINDS.items() for case in kind.updates],
)
@contract("REST-RESOURCE-004", because="an update that resets other fields undoes the work of another client")
def test_update_changes_what_was_sent_and_nothing_else(shop: Shop, ask: Ask, case: str) -> None:
    """Updating a resource changes the fields that were sent, in the answer and when read, and no other field."""
    made = shop.make()
    before = shop.read(made)
    sent = shop.fill(shop.kind.updates[case])
    if not shop.takes("PATCH", made.path, *sent):
        not_applicable(f"this server does not document {' and '.join(sent)} for PATCH {made.kind.path}...")

    answer = ask("PATCH", made.path, sent)

    must(status(answer) or echoed(_seen(shop.kind, sent), answer.json(), "the answer to the update"))
    after = shop.read(made)
    must(echoed(_seen(shop.kind, sent), after, "the resource when read after the update"))
    must(unchanged(before, after, f"the update of {', '.join(sent)}", but=[*sent, *_STAMPS, *shop.kind.moves]))


@_EACH
@contract("REST-RESOURCE-005", because="what was deleted must not come back, nor be found, nor be counted")
def test_deleted_resource_is_gone(shop: Shop, ask: Ask) -> None:
    """A deleted resource is gone by id and from the list, and the one beside it stays."""
    made, other = shop.make(), shop.make()

    must(status(ask("DELETE", made.path), 200, 202, 204))

    must(refused(ask("GET", made.path), 404, naming=made.id))
    must(lacks([one["id"] for one in shop.listed_beside(made)], made.id, "list after the deletion"))
    kept = [one["id"] for one in shop.listed_beside(other)]
    must(contains(kept, other.id, "list after the deletion of the other"))


@_EACH
@contract("REST-RESOURCE-006", because="a client that deletes or updates twice must be told, and always in one way")
def test_deleted_resource_refuses_what_comes_after(shop: Shop, ask: Ask) -> None:
    """Deleting a resource again, or updating it after its deletion, is refused with 404 that names it."""
    made = shop.make()
    must(status(ask("DELETE", made.path), 200, 202, 204))
    update = shop.fill(next(iter(shop.kind.updates.values())))

    must(refused(ask("PATCH", made.path, update), 404, naming=made.id))
    must(refused(ask("DELETE", made.path), 404, naming=made.id))


@_EACH
@contract("REST-RESOURCE-007", because="an id in the wrong place must be told, and never be taken for another thing")
def test_id_of_another_kind_is_refused(shop: Shop, ask: Ask, letta_agent: Agent) -> None:
    """The id of an agent, or of nothing, is refused by 4xx that repeats it where another kind is; the agent stays."""
    update = shop.fill(next(iter(shop.kind.updates.values())))

    for id in (letta_agent.id, "no-id"):
        for method, body in (("GET", None), ("PATCH", update), ("DELETE", None)):
            # 422 since 0.13, 404 or 400 before.
            must(refused(ask(method, f"{shop.kind.path}{id}", body), 422, 404, 400, naming=id))
    must(status(letta_agent.client.get(letta_agent.path)))


@_EACH
@contract("REST-RESOURCE-008", because="clients send what their user typed: a name of nothing, a number for a text")
def test_wrong_type_is_refused_by_its_field(shop: Shop, ask: Ask) -> None:
    """Making a resource with an object in place of its first text is refused with 422 that names the field."""
    body = shop.fill(shop.kind.create)
    field = next(key for key, value in body.items() if isinstance(value, str))
    query = shop.fill(shop.kind.query)

    must(refused(ask("POST", shop.kind.path, {**body, field: {"a": 1}}, **query), 422, naming=field))
