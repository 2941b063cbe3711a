"""Isolation: nothing of one agent's memory shows in another's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, lacks, status
from pytest_letta.llm import say

if TYPE_CHECKING:
    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl

_SECRET = "The safe opens with 4711."
_WHY = "many users share a server, each with an agent of their own; the mix-up of two is a leak"


def _two(make_letta_agent: AgentMaker) -> tuple[Agent, Agent]:
    """Two agents of one user that look the same."""
    blocks = [{"label": "human", "value": "Name unknown."}]
    return make_letta_agent(memory_blocks=blocks), make_letta_agent(memory_blocks=blocks)


@contract("MEM-ISOLATION-001", needs=["archival", "archival_search"], because=_WHY)
def test_passages_of_one_agent_never_show_in_another(make_letta_agent: AgentMaker) -> None:
    """A passage of one agent is in no list and no search of another, even for its own words."""
    owner, other = _two(make_letta_agent)
    other.insert_passage("The kettle is descaled.")

    owner.insert_passage(_SECRET)

    listed = other.client.get(f"{other.path}/archival-memory", params={"limit": 100})
    must(status(listed) or lacks([each["text"] for each in listed.json()], _SECRET, "list of the other agent"))
    found = [each["content"] for each in other.search_passages(_SECRET, top_k=50)]
    must(lacks(found, _SECRET, "search of the other agent"))


@contract("MEM-ISOLATION-002", needs=["messages"], because=_WHY)
def test_messages_of_one_agent_never_show_in_another(make_letta_agent: AgentMaker) -> None:
    """What was said to one agent is not in the history of another, and the other's stays where it is."""
    owner, other = _two(make_letta_agent)

    owner.send(_SECRET)
    other.send("Good morning.")

    must(lacks(json.dumps(other.messages()), _SECRET, "history of the other agent"))
    must(lacks(json.dumps(owner.messages()), "Good morning.", "history of the first agent"))


@contract("MEM-ISOLATION-003", needs=["core_memory"], because=_WHY)
def test_blocks_of_the_same_label_are_apart(make_letta_agent: AgentMaker) -> None:
    """Two agents that each have a block of the same label have two blocks: an edit of one leaves the other."""
    owner, other = _two(make_letta_agent)

    owner.edit_block("human", _SECRET)

    must(equal("Name unknown.", other.block("human")["value"], "block human of the other agent"))
    must(equal(_SECRET, owner.block("human")["value"], "block human of the edited agent"))


@contract("MEM-ISOLATION-004", needs=["messages", "archival", "core_memory", "llm"], because=_WHY)
def test_nothing_of_one_agent_is_in_the_prompt_of_another(
    make_letta_agent: AgentMaker, letta_llm: ModelControl
) -> None:
    """Nothing that was said to one agent, or stored in its memory, is in what another's model receives."""
    owner, other = _two(make_letta_agent)
    owner.send(_SECRET)
    owner.insert_passage(_SECRET)
    owner.edit_block("human", _SECRET)

    script = letta_llm.script(say("Good morning."))
    other.send(script.prompt("Good morning."))

    requests = letta_llm.requests(script)
    must(equal(1, len(requests), "requests that reached the model"))
    prompt = json.dumps(requests[-1].body["messages"])
    must(contains(prompt, "Name unknown.", "prompt of the other agent"))
    must(lacks(prompt, _SECRET, "prompt of the other agent"))
