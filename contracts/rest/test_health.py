"""Health: what it says, and that it is not all that works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, status

if TYPE_CHECKING:
    import httpx


@contract("REST-HEALTH-001", because="docker healthchecks and every SDK start here; letta-ai/letta#2388")
def test_health_answers_with_status_and_version(letta_client: httpx.Client) -> None:
    """GET /v1/health/ answers 200 with status "ok" and the version."""
    answer = letta_client.get("/v1/health/")

    must(status(answer, 200))
    must(equal("ok", answer.json().get("status"), "status"))
    must(equal(str, type(answer.json().get("version")), "type of version"))


@contract("REST-HEALTH-002", because="health stays 200 with a dead database; a data route does not")
def test_a_data_route_answers_when_health_says_ok(letta_client: httpx.Client) -> None:
    """A server that says it is healthy can list agents."""
    must(status(letta_client.get("/v1/health/"), 200))
    must(status(letta_client.get("/v1/agents/", params={"limit": 1}), 200))
