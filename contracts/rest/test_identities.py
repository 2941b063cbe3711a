"""Identities: put again by their key, and given properties, as clients do that follow their own users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, echoed, equal, status

if TYPE_CHECKING:
    from pytest_letta.ownership import Ledger

    from .asking import Ask

_PATH = "/v1/identities/"


def _identity(ledger: Ledger) -> dict[str, Any]:
    properties = [{"key": "plan", "value": "free", "type": "string"}]
    return {"identifier_key": ledger.name(), "name": "Zo\u00eb", "identity_type": "user", "properties": properties}


@pytest.mark.parametrize("case", ["new", "existing"])
@contract(
    "REST-IDENTITY-001", because="a client that signs its users in puts them, whether they were here before or not"
)
def test_identity_is_put_by_its_key(ask: Ask, letta_ledger: Ledger, case: str) -> None:
    """PUT of an identity makes it, or changes the one that has its key: the same id, once in the list."""
    body, before = _identity(letta_ledger), None
    if case == "existing":
        made = ask("POST", _PATH, {**body, "name": "Before"})
        must(status(made, 200, 201))
        before = made.json()["id"]

    answer = ask("PUT", _PATH, body)

    must(status(answer, 200, 201))
    listed = ask("GET", _PATH, identifier_key=body["identifier_key"])
    must(status(listed) or equal(1, len(listed.json()), "number of identities of the key"))
    id = listed.json()[0]["id"]
    letta_ledger.enter(f"{_PATH}{id}")
    must(equal(before or id, answer.json().get("id"), "id of the identity that was put"))
    must(echoed(body, listed.json()[0], "the identity when listed"))


@contract("REST-IDENTITY-002", because="properties are what agents are told of a user")
def test_properties_of_an_identity_are_put(ask: Ask, letta_ledger: Ledger) -> None:
    """Properties that are put are read afterwards with their new values, once each."""
    made = ask("POST", _PATH, _identity(letta_ledger))
    must(status(made, 200, 201))
    path = f"{_PATH}{made.json()['id']}"
    sent: list[dict[str, Any]] = [
        {"key": "age", "value": 42, "type": "number"},
        {"key": "plan", "value": "paid", "type": "string"},
    ]

    must(status(ask("PUT", f"{path}/properties", sent), 200, 201, 204))

    read = ask("GET", path)
    must(status(read))
    properties = read.json()["properties"]
    for one in sent:
        must(contains(properties, one, "properties after the PUT"))
        must(
            equal(
                1,
                [other["key"] for other in properties].count(one["key"]),
                f"number of times that it has {one['key']}",
            )
        )
