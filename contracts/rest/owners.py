"""Users of organizations of our own, whose things can be broken without harm to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import must
from pytest_letta.conformance.checks import status

from ..memory.tenants import new_user

if TYPE_CHECKING:
    import httpx

    from pytest_letta import Deployment
    from pytest_letta.ownership import Ledger

_ORGS = "/v1/admin/orgs/"


def new_owner(deployment: Deployment, client: httpx.Client, ledger: Ledger) -> str | None:
    """Return the id of a user of a new organization; ``None`` where none can be made, or is not told apart."""
    if not deployment.capabilities["users"].available:
        return None
    made = client.post(_ORGS, json={"name": ledger.name()})
    if not made.is_success:
        return None
    organization = made.json()["id"]
    ledger.enter(f"{_ORGS}?org_id={organization}")
    user = new_user(client, ledger, organization)
    return user.id if _is_told_apart(client, user.id) else None


def _is_told_apart(client: httpx.Client, user: str) -> bool:
    """Tell whether the server takes a user for who he is: a proxy may drop the header that says it."""
    made = client.post("/v1/blocks/", json={"label": "mine", "value": "x"}, headers={"user_id": user})
    must(status(made))
    path = f"/v1/blocks/{made.json()['id']}"
    if client.get(path).status_code == 404:
        return True
    must(status(client.delete(path), 200, 204))
    return False
