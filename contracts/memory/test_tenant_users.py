"""Who a request is made by, and what of others it can name."""

from __future__ import annotations

import uuid
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import not_a_server_error, refused, status

from .operations import REFERENCES
from .tenants import User, new_user

if TYPE_CHECKING:
    import httpx

    from pytest_letta.handles import Handles
    from pytest_letta.ownership import Ledger

    from .estate import Estate

#: Digits by which two ids must differ, at the least: what is counted up differs by one or two.
_FAR_APART = 8
_UNTOLD = "one may name in an agent of one's own what one may not read: a shared block is then read and written by it"


@pytest.mark.parametrize(
    ("way", "field", "part"), [pytest.param(*each, id=f"{each[0]}-{each[1]}") for each in REFERENCES]
)
@contract("MEM-TENANT-006", needs=["users", "agents"], because=_UNTOLD)
def test_an_agent_takes_nothing_by_the_ids_of_another_organization(
    estate: Estate,
    own_estate: Estate,
    stranger: User,
    letta_handles: Handles,
    letta_ledger: Ledger,
    way: str,
    field: str,
    part: str,
) -> None:
    """An agent that is given ids of another organization, as it is made or later, shows nothing of what they name."""
    named = f"{{{part}}}"
    given = {field: [estate.fill(named)]}
    estate.look_at(named)

    if way == "create":
        own = {"name": letta_ledger.name(), "include_base_tools": False, **letta_handles.fields()}
        answer = stranger.ask("POST", "/v1/agents/", {**own, **given})
        agent = answer.json().get("id") if answer.is_success else None
        if agent:
            letta_ledger.enter(f"/v1/agents/{agent}")
    else:
        agent = own_estate["agent"]
        answer = stranger.ask("PATCH", f"/v1/agents/{agent}", given)
        own_estate.abandon()

    must(estate.shown_by(answer) or not_a_server_error(answer))
    for view in ("", "/context", "/tools") if agent else ():
        must(estate.shown_by(stranger.ask("GET", f"/v1/agents/{agent}{view}"), known=str(given)))
    must(estate.changed(named))


@pytest.mark.parametrize("who", ["unknown", "deleted", "malformed", "empty"])
@contract(
    "MEM-TENANT-007",
    needs=["users", "agents"],
    because="a user who is gone must not be served as the default user: letta-ai/letta#1755, commit 0099a95a4",
)
def test_nobody_is_not_the_default_user(
    letta_client: httpx.Client, letta_ledger: Ledger, stranger: User, estate: Estate, who: str
) -> None:
    """A request of a user who does not exist is refused, and does nothing to what the default user has."""
    estate.look_at("{block}")
    nobody = User(_id_of_nobody(letta_client, letta_ledger, who), "", letta_client)
    path = f"/v1/blocks/{estate['block']}"

    read, edited = nobody.ask("GET", path), nobody.ask("PATCH", path, {"value": "By nobody."})

    must(estate.changed("{block}"))
    for answer in (read, edited):
        must(estate.shown_by(answer) or refused(answer, 400, 401, 403, 404, 422))


def _id_of_nobody(client: httpx.Client, ledger: Ledger, who: str) -> str:
    if who != "deleted":
        return {"unknown": f"user-{uuid.uuid4()}", "malformed": "pytest-letta-no-user", "empty": ""}[who]
    user = new_user(client, ledger)
    # The server has met him, and may remember.
    must(status(user.ask("GET", "/v1/blocks/?limit=1")))
    must(status(client.delete(f"/v1/admin/users/?user_id={user.id}"), 200, 204))
    return user.id


@contract(
    "MEM-TENANT-008", needs=["users", "agents"], because="the default user is one among others: letta-ai/letta#2887"
)
def test_default_user_sees_nothing_of_another_organization(
    letta_client: httpx.Client, stranger: User, own_estate: Estate
) -> None:
    """A request without a user shows nothing that belongs to the organization of another user."""
    paths = (
        "/v1/agents/{agent}",
        "/v1/agents/{agent}/core-memory/blocks",
        "/v1/agents/{agent}/archival-memory",
        "/v1/blocks/{block}",
        "/v1/tools/{tool}",
        "/v1/agents/?name={name}",
        "/v1/blocks/?label={name}",
        "/v1/tools/?name={tool_name}",
    )
    assert own_estate["passage"]
    filled = [own_estate.fill(path) for path in paths]

    for path in filled:
        # Right after its owner, whom no gateway on the way must mistake for the next one who asks.
        must(status(stranger.ask("GET", path)))
        must(own_estate.shown_by(letta_client.get(path)))


@pytest.mark.parametrize("kind", ["agents", "blocks", "tools"])
@contract("MEM-TENANT-009", needs=["agents", "blocks", "tools"], because="who has one id could guess those of others")
def test_ids_cannot_be_guessed_from_each_other(
    letta_client: httpx.Client, letta_handles: Handles, letta_ledger: Ledger, kind: str
) -> None:
    """Ids of things that are made one after the other have most of their digits to themselves."""
    ids = [_made(letta_client, letta_ledger, kind, letta_handles.fields()) for _ in range(3)]

    for first, second in pairwise(ids):
        differing = sum(one != other for one, other in zip(first, second, strict=True))
        text = f"{kind} made one after the other are {first} and {second}: {differing} characters differ"
        must(text if differing < _FAR_APART else None)


def _made(client: httpx.Client, ledger: Ledger, kind: str, fields: dict[str, Any]) -> str:
    name = ledger.name()
    bodies: dict[str, dict[str, Any]] = {
        "agents": {"name": name, **fields},
        "blocks": {"label": name, "value": "x"},
        "tools": {"source_code": f'def tool_{name.replace("-", "_")}():\n    """Do."""\n'},
    }
    answer = client.post(f"/v1/{kind}/", json=bodies[kind])
    must(status(answer))
    ledger.enter(f"/v1/{kind}/{answer.json()['id']}")
    return str(answer.json()["id"])
