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

    from .sending import Generator, Judgement


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
