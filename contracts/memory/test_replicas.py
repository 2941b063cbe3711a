"""Replicas: two servers on one database are one memory, whichever of them is asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, lacks, refused, same_sequence, status
from pytest_letta.llm import say

from .keepsakes import FACT, GRANITE, HERON, got

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.handles import Handles
    from pytest_letta.llm import ModelControl
    from pytest_letta.ownership import Ledger
    from pytest_letta.second import SecondStarter

_BECAUSE = "replicas behind one address, or a rolling update: the next request goes to the other server"


@contract("MEM-REPLICA-001", needs=["agents", "core_memory", "second"], because=_BECAUSE)
def test_agents_and_blocks_of_one_server_are_those_of_the_other(
    letta_agent: Agent, letta_handles: Handles, letta_ledger: Ledger, letta_second: SecondStarter
) -> None:
    """What one of two servers does to an agent or a block is what the other serves next, whichever does it."""
    first, second = letta_agent, letta_agent.at(letta_second("same"))
    # Read on both before each change, so that whoever keeps an answer keeps an old one.
    for writer, reader, fact in ((first, second, FACT), (second, first, "Moved on to Porto.")):
        must(equal(writer.block("human"), reader.block("human"), "block at the other server"))
        writer.edit_block("human", fact)
        must(equal(fact, reader.block("human")["value"], "block at the other server after its edit"))

    for here, there in ((first.client, second.client), (second.client, first.client)):
        name = letta_ledger.name()
        must(equal([], got(there, f"/v1/agents/?name={name}"), "agents of a new name at the other server"))
        made = here.post("/v1/agents/", json={"name": name, "tags": letta_ledger.tags, **letta_handles.fields()})
        must(status(made))
        id, path = made.json()["id"], f"/v1/agents/{made.json()['id']}"
        letta_ledger.enter(path)
        listed = [one["id"] for one in got(there, f"/v1/agents/?name={name}")]
        must(equal([id], listed, "agents of that name at the other server after one was made"))
        must(status(here.patch(path, json={"description": FACT})))
        must(equal(FACT, got(there, path)["description"], "description at the other server after its edit"))
        must(status(here.delete(path)))
        must(refused(there.get(path), 404, naming=id))


@contract("MEM-REPLICA-002", needs=["archival", "archival_search", "second"], because=_BECAUSE)
def test_passages_of_one_server_are_those_of_the_other(letta_agent: Agent, letta_second: SecondStarter) -> None:
    """A passage that one of two servers stores or deletes is listed and found, or not, by the other."""
    first, second = letta_agent, letta_agent.at(letta_second("same"))
    for writer, reader, text in ((first, second, HERON), (second, first, GRANITE)):
        must(lacks(_found(reader, text), text, "search at the other server before the passage was stored"))
        id = writer.insert_passage(text)["id"]
        must(contains(_listed(reader), id, "passages at the other server"))
        must(contains(_found(reader, text), text, "search at the other server"))
        must(status(writer.client.delete(f"{writer.path}/archival-memory/{id}"), 200, 204))
        must(lacks(_listed(reader), id, "passages at the other server after the deletion"))
        must(lacks(_found(reader, text), text, "search at the other server after the deletion"))


@contract("MEM-REPLICA-003", needs=["core_memory", "messages", "llm", "second"], because=_BECAUSE)
def test_turns_of_one_server_follow_those_of_the_other(
    letta_agent: Agent, letta_llm: ModelControl, letta_second: SecondStarter
) -> None:
    """Turns that go to two servers in turn are one history, and each prompt holds all that came before."""
    servers = [letta_agent, letta_agent.at(letta_second("same"))]
    said: list[str] = []
    for number in range(1, 5):
        here, there = servers[number % 2], servers[(number + 1) % 2]
        fact = f"Fact number {number}."
        here.edit_block("human", fact)
        script = letta_llm.script(say(f"Answer number {number}."))
        there.send(script.prompt(f"Question number {number}."))

        prompt = json.dumps(letta_llm.requests(script)[-1].body["messages"])
        for told in (fact, *said):
            must(contains(prompt, told, f"prompt number {number}"))
        must(lacks(prompt, f"Fact number {number - 1}.", f"prompt number {number}"))
        said += [f"Question number {number}.", f"Answer number {number}."]
        must(same_sequence(_history(here), _history(there), "history at the other server"))
    spoken = [text for text in _history(servers[0]) if "number" in text]
    must(equal(len(said), len(spoken), "number of messages of the turns in the history"))
    for expected, text in zip(said, spoken, strict=True):
        must(contains(text, expected, "history in its order"))


def _history(agent: Agent) -> list[str]:
    shown = (message for message in agent.messages() if message["message_type"] != "system_message")
    return [f"{message['id']} {message.get('content')}" for message in shown]


def _listed(agent: Agent) -> list[Any]:
    return [passage["id"] for passage in got(agent.client, f"{agent.path}/archival-memory?limit=100")]


def _found(agent: Agent, query: str) -> list[Any]:
    return [result.get("content") for result in agent.search_passages(query)]
