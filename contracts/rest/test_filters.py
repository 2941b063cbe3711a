"""Filters of the list of agents: exactly what was asked for, and counted alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, same_set, status

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.ownership import Ledger

    from .asking import Ask


def _listed(client: httpx.Client, **query: Any) -> list[str]:
    answer = client.get("/v1/agents/", params={"limit": 50, **query})
    must(status(answer))
    return [agent["id"] for agent in answer.json()]


def _three(make: AgentMaker, ledger: Ledger) -> tuple[dict[str, Agent], str, str]:
    """Make agents with tag one, with tag two and with both."""
    one, two = ledger.name(), ledger.name()
    return {"one": make(tags=[one]), "two": make(tags=[two]), "both": make(tags=[two, one])}, one, two


@pytest.mark.parametrize(
    ("tags", "query", "expected"),
    [
        pytest.param("one", {}, ["one", "both"], id="one-tag"),
        pytest.param("one two", {}, ["one", "two", "both"], id="any-of-two-tags"),
        pytest.param("one two", {"match_all_tags": "true"}, ["both"], id="all-of-two-tags"),
        pytest.param("none", {}, [], id="unknown-tag"),
    ],
)
@contract(
    "REST-FILTER-001",
    needs=["agents"],
    because="on a shared server a project finds its agents by tag, and must not get those of others",
)
def test_tags_select_exactly_the_agents_that_carry_them(
    letta_client: httpx.Client,
    make_letta_agent: AgentMaker,
    letta_ledger: Ledger,
    tags: str,
    query: dict[str, str],
    expected: list[str],
) -> None:
    """Listing by tags gives exactly the agents that carry any of them, or all of them where that is asked for."""
    agents, one, two = _three(make_letta_agent, letta_ledger)
    asked = {"tags": [{"one": one, "two": two, "none": f"{one}-none"}[tag] for tag in tags.split()], **query}

    must(
        same_set([agents[name].id for name in expected], _listed(letta_client, **asked), f"agents listed by {asked}")
    )


@pytest.mark.parametrize("near", ["exact", "prefix", "other-case", "unknown"])
@contract(
    "REST-FILTER-002",
    needs=["agents"],
    because="clients look their agent up by name and make another when it is not found",
)
def test_name_selects_exactly_the_agents_of_that_name(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger, near: str
) -> None:
    """Listing by name gives the agents that have exactly that name: no longer one, no other case of letters."""
    name = f"{letta_ledger.name()}-Ada"
    agent, longer = make_letta_agent(name=name), make_letta_agent(name=f"{name} Lovelace")
    asked, expected = {
        "exact": (name, [agent.id]),
        "prefix": (name[:-1], []),
        "other-case": (name.upper(), []),
        "unknown": (f"{name} Lovelace 2", []),
    }[near]

    must(
        same_set(
            expected, _listed(letta_client, name=asked), f"agents listed by the name {asked!r}, beside {longer.id}"
        )
    )


@contract(
    "REST-FILTER-003",
    needs=["agents"],
    because="a count that differs from the list makes an operator believe that agents are lost: letta-ai/letta#2354",
)
def test_count_is_the_length_of_the_list(
    ask: Ask, letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger
) -> None:
    """GET /v1/agents/count counts the agents that the list gives for the same filter."""
    _, one, two = _three(make_letta_agent, letta_ledger)

    for query in ({"tags": one}, {"tags": [one, two]}, {"tags": [one, two], "match_all_tags": "true"}):
        counted = ask("GET", "/v1/agents/count", **query)
        must(
            status(counted)
            or equal(len(_listed(letta_client, **query)), counted.json(), f"count of agents by {query}")
        )
