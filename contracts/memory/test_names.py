"""Agents of one name: a name is for people, and two agents of one name have nothing in common."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, lacks, refused, same_set, status

if TYPE_CHECKING:
    from pytest_letta.agent import AgentMaker
    from pytest_letta.ownership import Ledger


@contract(
    "MEM-NAME-001",
    needs=["agents", "core_memory", "messages", "archival", "archival_search"],
    because="every user's agent is called 'Assistant'; the archives made for them are named after them",
)
def test_agents_of_one_name_are_apart(make_letta_agent: AgentMaker, letta_ledger: Ledger) -> None:
    """Two agents of one name have blocks, messages and passages of their own, and one goes without the other."""
    name = letta_ledger.name()
    blocks = [{"label": "human", "value": "Name unknown."}]
    first, second = (make_letta_agent(name=name, memory_blocks=blocks) for _ in range(2))

    for agent, word in ((first, "apple"), (second, "pear")):
        agent.edit_block("human", f"Likes {word}.")
        agent.send(f"I like {word}.")
        agent.insert_passage(f"A {word} is a fruit.")

    for agent, own, foreign in ((first, "apple", "pear"), (second, "pear", "apple")):
        must(equal(f"Likes {own}.", agent.block("human")["value"], f"block human of the agent of the {own}"))
        said = json.dumps(agent.messages())
        must(contains(said, f"I like {own}.", f"history of the agent of the {own}"))
        must(lacks(said, f"I like {foreign}.", f"history of the agent of the {own}"))
        found = [each["content"] for each in agent.search_passages("fruit", top_k=10)]
        must(equal([f"A {own} is a fruit."], found, f"passages that the agent of the {own} finds"))
    listed = first.client.get("/v1/agents/", params={"name": name})
    must(
        status(listed) or same_set([first.id, second.id], [one["id"] for one in listed.json()], "agents of the name")
    )

    archives = first.client.get("/v1/archives/", params={"agent_id": first.id})
    for archive in archives.json() if archives.is_success else ():
        letta_ledger.enter(f"/v1/archives/{archive['id']}")  # it outlives its agent
    must(status(first.client.delete(first.path), 200, 204))

    must(refused(first.client.get(first.path), 404, naming=first.id))
    must(equal("Likes pear.", second.block("human")["value"], "block human of the agent that is left"))
    must(contains(json.dumps(second.messages()), "I like pear.", "history of the agent that is left"))
    left = [each["content"] for each in second.search_passages("fruit", top_k=10)]
    must(equal(["A pear is a fruit."], left, "passages that the agent that is left finds"))
