"""Restart: what was there before the server stopped is there after it has started."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, same_sequence, status
from pytest_letta.llm import say

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.ownership import Ledger
    from pytest_letta.stack.stack import Stack

_FACT = "Moved to Lisbon in spring."
_HERON = "The grey heron nests on the pylon behind the mill."


@pytest.fixture
def agent(letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger) -> Agent:
    """An agent with two blocks of its own and one that was attached later."""
    agent = make_letta_agent(
        memory_blocks=[
            {"label": "human", "value": "Name unknown.", "limit": 900},
            {"label": "persona", "value": "Speaks plainly.\n\n", "description": "Who I am."},
        ]
    )
    shared = letta_client.post("/v1/blocks/", json={"label": letta_ledger.name(), "value": "Known to all."})
    shared.raise_for_status()
    letta_ledger.enter(f"/v1/blocks/{shared.json()['id']}")
    letta_client.patch(f"{agent.path}/core-memory/blocks/attach/{shared.json()['id']}").raise_for_status()
    return agent


def _blocks(agent: Agent) -> dict[str, dict[str, Any]]:
    answer = agent.client.get(f"{agent.path}/core-memory/blocks")
    must(status(answer))
    return {block["label"]: block for block in answer.json()}


def _shown(messages: list[dict[str, Any]]) -> list[str]:
    """One line for each message. The system message may be compiled anew, so its text is left out."""
    told = ("content", "tool_call", "tool_return")
    return [
        f"{m['message_type']} {m['id']} "
        + json.dumps([m.get(field) for field in told if m["message_type"] != "system_message"])
        for m in messages
    ]


@contract(
    "MEM-RESTART-001",
    needs=["core_memory", "blocks", "restart"],
    because="agents that survive an update without their blocks: letta-ai/letta#2117",
)
def test_blocks_survive_a_restart(agent: Agent, letta_stack: Stack) -> None:
    """After a restart each block of an agent, edited and attached ones too, is what it was, in every field."""
    agent.edit_block("human", _FACT)
    before = _blocks(agent)

    letta_stack.restart("letta")

    after = _blocks(agent)
    must(same_sequence(sorted(before), sorted(after), "labels of the blocks after the restart"))
    must(equal(_FACT, after["human"]["value"], "edited block after the restart"))
    for label, block in before.items():
        must(equal(block, after[label], f"block {label} after the restart"))


@contract(
    "MEM-RESTART-002",
    needs=["archival", "archival_search", "restart"],
    because="archival memory is kept for years, and restarts come weekly: letta-ai/letta#2592",
)
def test_passages_survive_a_restart(agent: Agent, letta_stack: Stack) -> None:
    """After a restart each passage is listed with its text and tags, and found by its own words."""
    inserted = [agent.insert_passage(_HERON, tags=["birds"]), agent.insert_passage("Granite holds quartz and mica.")]

    letta_stack.restart("letta")

    answer = agent.client.get(f"{agent.path}/archival-memory", params={"limit": 100})
    must(status(answer))
    fields = ("id", "text", "tags")
    before = [str([passage[field] for field in fields]) for passage in inserted]
    after = [str([passage.get(field) for field in fields]) for passage in answer.json()]
    must(same_sequence(sorted(before), sorted(after), "passages after the restart"))
    found = [result["content"] for result in agent.search_passages(_HERON)]
    must(contains(found, _HERON, "search for the passage's own words after the restart"))


@contract(
    "MEM-RESTART-003",
    needs=["messages", "restart"],
    because="histories that come back cut or out of order: letta-ai/letta#915, commit 0d7c2c638",
)
def test_history_survives_a_restart(agent: Agent, letta_stack: Stack) -> None:
    """After a restart the history holds the same messages in the same order, as a whole and by pages."""
    for text in ("First.", "Second.", "Third."):
        agent.send(text)
    before = _shown(agent.messages())

    letta_stack.restart("letta")

    must(same_sequence(before, _shown(agent.messages()), "history after the restart"))
    pages = [agent.messages(limit=3, order="asc")]
    while pages[-1] and len(pages) <= len(before):
        pages.append(agent.messages(limit=3, order="asc", after=pages[-1][-1]["id"]))
    walked = _shown([message for page in pages for message in page])
    must(same_sequence(before, walked, "history by pages of 3 after the restart"))


@contract(
    "MEM-RESTART-004",
    needs=["messages", "core_memory", "restart"],
    because="history reads fine, yet the agent cannot be messaged: letta-ai/letta commits 52ff51755, ca43ee0b7",
)
def test_agent_answers_after_a_restart(agent: Agent, letta_stack: Stack) -> None:
    """After a restart the agent answers, and the new turn follows the old ones in its history."""
    agent.send("Before the restart.")
    before = _shown(agent.messages())

    letta_stack.restart("letta")
    turn = agent.send("After the restart.")

    after = _shown(agent.messages())
    must(same_sequence(before, after[: len(before)], "earlier history after the next turn"))
    must(contains(str(after[len(before) :]), "After the restart.", "what follows the earlier history"))
    answered = [m["id"] for m in turn["messages"] if m["message_type"] == "assistant_message"]
    for id in answered:
        must(contains(str(after[len(before) :]), id, "what follows the earlier history"))


@contract(
    "MEM-RESTART-005",
    needs=["messages", "core_memory", "llm", "restart"],
    because="an agent whose rows are all there may still have forgotten them: letta-ai/letta commit f417e5363",
)
def test_model_remembers_after_a_restart(agent: Agent, letta_llm: ModelControl, letta_stack: Stack) -> None:
    """After a restart the next prompt holds the earlier turns, in order, and the edited block."""
    first = letta_llm.script(say("Answer number one."))
    agent.send(first.prompt("Question number one."))
    agent.edit_block("human", _FACT)

    letta_stack.restart("letta")
    script = letta_llm.script(say("Answer number two."))
    agent.send(script.prompt("Question number two."))

    prompt = json.dumps(letta_llm.requests(script)[-1].body["messages"])
    for told in (_FACT, "Question number one.", "Answer number one.", "Question number two."):
        must(contains(prompt, told, "first prompt after the restart"))
    places = [prompt.index(f"{told} number") for told in ("Question", "Answer")]
    must(equal(sorted(places), places, "places of question and answer number one in the prompt"))
