"""Agents: changed only as asked, gone once deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import echoed, equal, lacks, refused, same_set, status, unchanged

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.ownership import Ledger

#: What each update sends. The name is of the form of our own, so that a later run knows the agent as ours.
_UPDATES: dict[str, dict[str, Any]] = {
    "name": {"name": "pytest-letta-00000000-1"},
    "description": {"description": "Now: Zoë's (2)."},
    "system": {"system": "You are someone else."},
    "metadata": {"metadata": {"new": [1]}},
    "timezone": {"timezone": "Asia/Tokyo"},
    "autoclear": {"message_buffer_autoclear": True},
    "max-files": {"max_files_open": 3},
    "hidden": {"hidden": True},
    "nothing": {},
}


def _read(agent: Agent) -> dict[str, Any]:
    answer = agent.client.get(agent.path)
    must(status(answer))
    return dict(answer.json())


def _listed(client: httpx.Client, **query: Any) -> list[str]:
    answer = client.get("/v1/agents/", params={"limit": 50, **query})
    must(status(answer))
    return [agent["id"] for agent in answer.json()]


@pytest.mark.parametrize("sent", [pytest.param(sent, id=case) for case, sent in _UPDATES.items()])
@contract(
    "REST-UPDATE-001",
    needs=["agents"],
    because="an update that resets other fields undoes the work of another client: letta-ai/letta commit 3e15159d8",
)
def test_update_changes_what_was_sent_and_nothing_else(make_letta_agent: AgentMaker, sent: dict[str, Any]) -> None:
    """Updating an agent changes the fields that were sent, in the answer and when read, and no other field."""
    blocks = [{"label": "human", "value": "Name unknown."}]
    agent = make_letta_agent(
        memory_blocks=blocks, description="Before.", metadata={"old": 1}, system="You are.", hidden=False
    )
    before = _read(agent)

    answer = agent.client.patch(agent.path, json=sent)

    must(status(answer) or echoed(sent, answer.json(), "the answer to the update"))
    after = _read(agent)
    must(echoed(sent, after, "the agent when read after the update"))
    must(unchanged(before, after, f"the update of {', '.join(sent) or 'nothing'}", but=[*sent, "updated_at"]))


@contract("REST-UPDATE-002", needs=["agents"], because="tags that are merged instead of replaced never go away")
def test_update_replaces_the_tags(make_letta_agent: AgentMaker, letta_ledger: Ledger) -> None:
    """Updating the tags of an agent replaces them, and it is listed by the new ones only."""
    old, new = letta_ledger.name(), letta_ledger.name()
    agent = make_letta_agent(tags=[old])

    must(status(agent.client.patch(agent.path, json={"tags": [*letta_ledger.tags, new]})))

    must(same_set([*letta_ledger.tags, new], _read(agent)["tags"], "tags after the update"))
    must(equal([], _listed(agent.client, tags=old), "agents listed by the tag that was taken away"))
    must(equal([agent.id], _listed(agent.client, tags=new), "agents listed by the new tag"))


@contract(
    "REST-UPDATE-003",
    needs=["agents"],
    because="a change of model by handle is how operators leave a model that was retired",
)
def test_update_of_the_model_by_handle(make_letta_agent: AgentMaker) -> None:
    """An update with a model that does not exist is refused by its name, and the agent keeps the one that it has."""
    agent = make_letta_agent()
    before = _read(agent)

    answer = agent.client.patch(agent.path, json={"model": "no-such-provider/no-such-model"})

    must(refused(answer, 400, 404, naming="no-such-provider/no-such-model"))
    must(unchanged(before, _read(agent), "the refused update", but=["updated_at"]))


@contract(
    "REST-DELETE-001",
    needs=["agents"],
    because="what was deleted must not come back, nor be counted: docs.letta.com, delete agent",
)
def test_deleted_agent_is_gone_from_read_list_and_count(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger
) -> None:
    """A deleted agent is gone by id, from the list and from the count; the one beside it stays."""
    tag = letta_ledger.name()
    agent, neighbour = make_letta_agent(tags=[tag]), make_letta_agent(tags=[tag])
    must(same_set([agent.id, neighbour.id], _listed(letta_client, tags=tag), "agents before the deletion"))

    must(status(letta_client.delete(agent.path), 200, 204))

    must(refused(letta_client.get(agent.path), 404, naming=agent.id))
    must(lacks(_listed(letta_client, tags=tag), agent.id, "list of agents after the deletion"))
    must(equal([neighbour.id], _listed(letta_client, tags=tag), "agents after the deletion of the other"))
    counted = letta_client.get("/v1/agents/count", params={"tags": tag})
    must(status(counted) or equal(1, counted.json(), "count of agents after the deletion"))


@contract(
    "REST-DELETE-002",
    needs=["agents"],
    because="a deletion that succeeds twice hides that the first one hit the wrong agent",
)
def test_second_deletion_is_refused(letta_client: httpx.Client, make_letta_agent: AgentMaker) -> None:
    """Deleting an agent again, or updating it after its deletion, is refused with 404 that names it."""
    agent = make_letta_agent()
    must(status(letta_client.delete(agent.path), 200, 204))

    must(refused(letta_client.delete(agent.path), 404, naming=agent.id))
    must(refused(letta_client.patch(agent.path, json={"description": "Back."}), 404, naming=agent.id))
