"""The prompt: what memory holds is what the model is told, and what memory lost it is told no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, lacks, status
from pytest_letta.llm import call_tool, say

from .blocks import new_block, next_prompt

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.ownership import Ledger

_OLD = "Keeps two hedgehogs."
_NEW = "Moved to Lisbon in spring."

_ROUTES = [
    pytest.param("{agent}/core-memory/blocks/human", id="agent-route"),
    pytest.param("/v1/blocks/{block}", id="block-route"),
]


@pytest.fixture
def agent(make_letta_agent: AgentMaker) -> Agent:
    return make_letta_agent(
        memory_blocks=[{"label": "human", "value": _OLD}, {"label": "persona", "value": "Speaks plainly."}]
    )


@pytest.mark.parametrize("route", _ROUTES)
@contract(
    "MEM-PROMPT-001",
    needs=["core_memory", "blocks", "messages", "llm"],
    because="an edit in the database that the model never sees: letta-ai/letta commit 1ea1d36fc",
)
def test_edited_block_is_in_the_next_prompt(agent: Agent, letta_llm: ModelControl, route: str) -> None:
    """After an edit of a block the next prompt holds the new value and not the old one."""
    must(contains(next_prompt(letta_llm, agent), _OLD, "prompt before the edit"))

    path = route.format(agent=agent.path, block=agent.block("human")["id"])
    must(status(agent.client.patch(path, json={"value": _NEW})))

    prompt = next_prompt(letta_llm, agent)
    must(contains(prompt, _NEW, "prompt after the edit"))
    must(lacks(prompt, _OLD, "prompt after the edit"))
    must(contains(prompt, "Speaks plainly.", "prompt after the edit of another block"))


@pytest.mark.parametrize("route", _ROUTES)
@contract(
    "MEM-PROMPT-002",
    needs=["core_memory", "blocks", "messages"],
    because="the same, as a deployment with any model shows it: letta-ai/letta commit 1ea1d36fc",
)
def test_edited_block_is_in_the_stored_system_message(agent: Agent, route: str) -> None:
    """After an edit of a block and one message the stored system message holds the new value."""
    path = route.format(agent=agent.path, block=agent.block("human")["id"])
    must(status(agent.client.patch(path, json={"value": _NEW})))
    agent.send("Go on.")

    system = [str(m.get("content")) for m in agent.messages(order="asc") if m["message_type"] == "system_message"]
    must(contains("\n".join(system), _NEW, "system messages after the edit"))


@contract(
    "MEM-PROMPT-003",
    needs=["core_memory", "blocks", "messages", "llm"],
    because="knowledge that is attached to an agent must reach its model with the next message",
)
def test_attached_block_is_in_the_next_prompt(
    agent: Agent, letta_client: httpx.Client, letta_llm: ModelControl, letta_ledger: Ledger
) -> None:
    """A block that is attached to an agent is in the next prompt."""
    block = new_block(letta_client, letta_ledger, _NEW)
    must(lacks(next_prompt(letta_llm, agent), _NEW, "prompt before the block was attached"))

    must(status(letta_client.patch(f"{agent.path}/core-memory/blocks/attach/{block['id']}")))

    must(contains(next_prompt(letta_llm, agent), _NEW, "prompt after the block was attached"))


@pytest.mark.parametrize("removal", ["detached", "deleted"])
@contract(
    "MEM-PROMPT-004",
    needs=["core_memory", "blocks", "messages", "llm"],
    because="what was taken from an agent, or deleted at a user's wish, must not go on to its model",
)
def test_removed_block_is_not_in_the_next_prompt(
    make_letta_agent: AgentMaker,
    letta_client: httpx.Client,
    letta_llm: ModelControl,
    letta_ledger: Ledger,
    removal: str,
) -> None:
    """A block that was detached or deleted is not in the next prompt."""
    block = new_block(letta_client, letta_ledger, _NEW)
    agent = make_letta_agent(block_ids=[block["id"]])
    must(contains(next_prompt(letta_llm, agent), _NEW, f"prompt before the block was {removal}"))

    if removal == "detached":
        must(status(letta_client.patch(f"{agent.path}/core-memory/blocks/detach/{block['id']}")))
    else:
        must(status(letta_client.delete(f"/v1/blocks/{block['id']}"), 200, 204))

    must(lacks(next_prompt(letta_llm, agent), _NEW, f"prompt after the block was {removal}"))


@pytest.mark.parametrize(
    ("tool", "arguments", "expected"),
    [
        pytest.param("memory_insert", {"label": "human", "new_string": _NEW}, [_OLD, _NEW], id="memory_insert"),
        pytest.param(
            "memory_replace",
            {"label": "human", "old_string": _OLD, "new_string": _NEW},
            [_NEW],
            id="memory_replace",
        ),
    ],
)
@contract(
    "MEM-PROMPT-005",
    needs=["core_memory", "messages", "llm"],
    because="an agent that edits its own memory is what Letta is for: docs.letta.com, memory blocks",
)
def test_edit_by_the_model_is_stored_and_in_the_next_prompt(
    agent: Agent, letta_llm: ModelControl, tool: str, arguments: dict[str, Any], expected: list[str]
) -> None:
    """What the model writes into a block with its own tool is read over REST and is in the next prompt."""
    must(equal(_OLD, agent.block("human")["value"], "block before the edit"))
    script = letta_llm.script(call_tool(tool, arguments), say("Remembered."))

    agent.send(script.prompt("I moved to Lisbon in spring."))

    must(equal(expected, agent.block("human")["value"].splitlines(), "lines of the block over REST"))
    prompt = next_prompt(letta_llm, agent)
    for line in expected:
        must(contains(prompt, line, f"prompt after {tool}"))
    if _OLD not in expected:
        must(lacks(prompt, _OLD, f"prompt after {tool}"))
