"""Bad input of every kind, for every documented operation: refused by its field, and never a server error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import status

from .estate import Estate
from .fuzzing import Effort, Prober
from .sending import AREAS, Finding, Samples, Sender, targets

if TYPE_CHECKING:
    import httpx

    from pytest_letta import Deployment
    from pytest_letta.handles import Handles
    from pytest_letta.ownership import Ledger

    from .sending import Generator, Judgement

_ORGS, _USERS = "/v1/admin/orgs/", "/v1/admin/users/"


@pytest.fixture
def owner(letta_deployment: Deployment, letta_client: httpx.Client, letta_ledger: Ledger) -> str | None:
    """A user of a new organization, so that what breaks there is nobody else's; ``None`` where none can be made."""
    if not letta_deployment.capabilities["users"].available:
        return None
    made = letta_client.post(_ORGS, json={"name": letta_ledger.name()})
    if not made.is_success:
        return None
    organization = made.json()["id"]
    letta_ledger.enter(f"{_ORGS}?org_id={organization}")
    user = letta_client.post(_USERS, json={"name": letta_ledger.name(), "organization_id": organization})
    must(status(user))
    letta_ledger.enter(f"{_USERS}?user_id={user.json()['id']}")
    return str(user.json()["id"]) if _is_told_apart(letta_client, user.json()["id"]) else None


def _is_told_apart(client: httpx.Client, user: str) -> bool:
    """Tell whether the server takes a user for who he is: a proxy may drop the header that says it."""
    made = client.post("/v1/blocks/", json={"label": "mine", "value": "x"}, headers={"user_id": user})
    must(status(made))
    path = f"/v1/blocks/{made.json()['id']}"
    if client.get(path).status_code == 404:
        return True
    must(status(client.delete(path), 200, 204))
    return False


@pytest.fixture
def estate(letta_client: httpx.Client, letta_handles: Handles, owner: str | None) -> Estate:
    """What is ours and can be broken; where no organization of ours can be made, nothing is."""
    return Estate(letta_client, owner, letta_handles.fields())


@pytest.mark.parametrize("area", AREAS)
@contract(
    "REST-FUZZ-001",
    because="a server error hides what is wrong with a request; a refusal that names the field tells what to mend",
)
def test_bad_input_is_refused_by_its_field(
    area: str,
    estate: Estate,
    letta_bad_requests: Generator,
    letta_client: httpx.Client,
    letta_deployment: Deployment,
    letta_findings: Judgement,
) -> None:
    """Bad input is taken or refused by its field, with nothing stored or given away, and the server goes on."""
    spec, with_model = letta_deployment.spec, letta_deployment.capabilities["llm"].available
    chosen = list(targets(spec, area, reads_only=not estate.is_owned, with_model=with_model)) if spec else []
    if spec is None or not chosen:
        not_applicable("this server documents no operations here that bad input can be sent to")
    generated = letta_bad_requests.requests(spec.document, chosen)
    effort = Effort(60, 100, 100, 100, 100) if letta_bad_requests.is_thorough else Effort()
    prober = Prober(Sender(estate, Samples(spec.document, estate.known()), letta_findings), effort)

    found: list[Finding] = []
    for target in chosen:
        found += prober.probe(target, generated.get(target.key, ()))
        health = letta_client.get("/v1/health/")
        if status(health):
            found.append(Finding(f"afterwards the server's health is {health.status_code}", target.key))
            break
    # What only a resource of ours would show is not gone where none could be made.
    letta_findings.must_be_none(found, [one.key for one in chosen] if estate.is_owned else [])
    must(status(letta_client.get("/v1/agents/", params={"limit": 1})))
