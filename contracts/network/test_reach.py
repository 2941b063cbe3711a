"""Reach: the proxy leads to the server, to the same one, and changes nothing on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, refused, status
from pytest_letta.conformance.differential import Question
from pytest_letta.conformance.nginx_cures import AS_IT_CAME, QUERY

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker

    from .conftest import Differing

_HEALTH = 'nginx: location = /nginx-health { default_type text/plain; return 200 "healthy\\n"; }'


@contract(
    "NET-REACH-001",
    needs=["agents", "proxy"],
    because="a proxy that still names an old container: letta-ai/letta#2065",
)
def test_proxy_leads_to_the_same_server(letta_agent: Agent, letta_proxy_client: httpx.Client) -> None:
    """An agent that was created directly is there through the proxy, the whole of it."""
    direct = letta_agent.client.get(letta_agent.path)
    proxied = letta_proxy_client.get(letta_agent.path)

    must(status(direct) or status(proxied))
    must(equal(direct.json(), proxied.json(), "agent through the proxy"))


@contract("NET-REACH-002", needs=["proxy"], because="what tells clients the kind of an answer must survive the proxy")
def test_proxy_passes_answers_on_as_they_are(differing: Differing) -> None:
    """Health, an empty list and an unknown path answer alike directly and through the proxy."""
    for path in ("/v1/health/", "/v1/agents/?name=pytest-letta-nobody", "/v1/pytest-letta-no-such-path"):
        must(differing(Question(path)))


@contract("NET-REACH-003", level="should", needs=["proxy"], because="container healthchecks of the proxy ask for it")
def test_proxy_has_a_health_route_of_its_own(letta_proxy_client: httpx.Client) -> None:
    """GET /nginx-health of the proxy answers 200."""
    problem = status(letta_proxy_client.get("/nginx-health"), 200)

    must(f"{problem}: whether the proxy itself is well cannot be asked ({_HEALTH})" if problem else None)


@contract(
    "NET-REACH-004", needs=["agents"], because="a gateway's HTML error page breaks every client that reads JSON"
)
def test_unknown_path_is_a_json_404(letta_client: httpx.Client) -> None:
    """An unknown path is refused with 404 and a JSON error."""
    must(refused(letta_client.get("/v1/pytest-letta-no-such-path"), 404))


@contract(
    "NET-REACH-005",
    needs=["agents", "proxy"],
    because="names with spaces and signs are usual; a proxy decodes them wrongly",
)
def test_proxy_keeps_reserved_characters(make_letta_agent: AgentMaker, letta_proxy_client: httpx.Client) -> None:
    """A query with encoded spaces, quotes and hyphens selects through the proxy exactly what it names."""
    wanted = make_letta_agent()
    name = f"{wanted.state['name']} O'Neil  \u00c5se _x"
    must(status(wanted.client.patch(wanted.path, json={"name": f"{name} & 100%+1=#/?"})))

    found = letta_proxy_client.get("/v1/agents/", params={"name": f"{name} & 100%+1=#/?"})

    must(status(found))
    problem = equal([wanted.id], [agent["id"] for agent in found.json()], "agents of that name through the proxy")
    must(f"{problem} (nginx: {QUERY})" if problem else None)


@contract(
    "NET-REACH-006", needs=["core_memory", "proxy"], because="labels are part of the path; a proxy may decode them"
)
def test_proxy_keeps_an_encoded_path(make_letta_agent: AgentMaker, letta_proxy_client: httpx.Client) -> None:
    """A label with an encoded space names the same block through the proxy."""
    agent = make_letta_agent(memory_blocks=[{"label": "human", "value": "Name unknown."}])
    must(status(agent.client.patch(f"{agent.path}/core-memory/blocks/human", json={"label": "two words"})))

    found = letta_proxy_client.get(f"{agent.path}/core-memory/blocks/two%20words")

    problem = status(found) or equal("two words", found.json()["label"], "label of the block through the proxy")
    must(f"{problem} (nginx: {AS_IT_CAME})" if problem else None)
