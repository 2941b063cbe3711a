"""Core memory compiled: the prompt holds each block once, as it is now, and nothing of what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, lacks, same_set, status

from .blocks import block_path, held, new_block, next_prompt

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.ownership import Ledger

_BLOCKS = [
    {"label": "human", "value": "Keeps two hedgehogs.", "description": "Whom it talks to."},
    {"label": "persona", "value": "Speaks plainly.", "description": "How it talks."},
    {"label": "working-notes", "value": "Bring the umbrella.", "description": "What is to be done."},
]


@contract(
    "MEM-PROMPT-006",
    needs=["core_memory", "blocks", "messages", "llm"],
    because="blocks in the database and not in the context: letta-ai/letta#3236",
)
def test_every_block_is_in_the_prompt_once(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_llm: ModelControl, letta_ledger: Ledger
) -> None:
    """Every block of an agent, its own or shared, is in the prompt once: its label, its description, its value."""
    team = {"label": letta_ledger.name(), "value": "The release is in May.", "description": "What the team knows."}
    agent = make_letta_agent(memory_blocks=_BLOCKS, block_ids=[new_block(letta_client, letta_ledger, **team)["id"]])
    blocks = [*_BLOCKS, team]
    labels = [block["label"] for block in blocks]
    must(same_set(labels, [block["label"] for block in held(agent)], "labels of the agent's blocks"))

    for prompt in (next_prompt(letta_llm, agent), next_prompt(letta_llm, agent)):
        for block in blocks:
            label, value = block["label"], block["value"]
            must(equal(1, prompt.count(value), f"how often the value of block {label} is in the prompt"))
            must(contains(prompt, block["description"], f"prompt of an agent with block {label}"))
            nearest = max(labels, key=lambda each: prompt.rfind(each, 0, prompt.index(value)))
            must(equal(label, nearest, f"label under which the prompt shows the value of block {label}"))


@pytest.mark.parametrize("route", ["by-label", "by-id"])
@contract(
    "MEM-PROMPT-007",
    needs=["core_memory", "blocks", "messages", "llm"],
    because="the description is 'the main information used by the agent' on a block: docs.letta.com, memory blocks",
)
def test_new_description_is_in_the_next_prompt(
    make_letta_agent: AgentMaker, letta_llm: ModelControl, route: str
) -> None:
    """After an edit of a description the next prompt holds the new one and not the old one, and the same value."""
    agent = make_letta_agent(memory_blocks=_BLOCKS)

    answer = agent.client.patch(block_path(agent, "human", route), json={"description": "The owner of the house."})

    must(status(answer))
    prompt = next_prompt(letta_llm, agent)
    must(contains(prompt, "The owner of the house.", "prompt after the edit of the description"))
    must(lacks(prompt, "Whom it talks to.", "prompt after the edit of the description"))
    must(equal(1, prompt.count("Keeps two hedgehogs."), "how often the value is in the prompt after the edit"))


@contract(
    "MEM-PROMPT-008",
    needs=["core_memory", "blocks", "messages", "llm"],
    because="an agent that is given other blocks must not go on with what it was to leave behind",
)
def test_blocks_given_by_an_update_replace_the_others_in_the_prompt(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_llm: ModelControl, letta_ledger: Ledger
) -> None:
    """After an update of an agent that gives it other blocks, its prompt holds these and nothing of the others."""
    agent = make_letta_agent(memory_blocks=_BLOCKS)
    block = new_block(letta_client, letta_ledger, "The release is in May.")

    must(status(letta_client.patch(agent.path, json={"block_ids": [block["id"]]})))

    must(equal([block["id"]], [each["id"] for each in held(agent)], "blocks of the agent after the update"))
    prompt = next_prompt(letta_llm, agent)
    must(contains(prompt, "The release is in May.", "prompt after the update"))
    for each in _BLOCKS:
        must(lacks(prompt, each["value"], "prompt after the update"))
