"""What the contracts of core memory share: blocks of our own, what an agent holds, what its model is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_letta import must
from pytest_letta.conformance.checks import status
from pytest_letta.llm import say

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.ownership import Ledger


def new_block(client: httpx.Client, ledger: Ledger, value: str, **fields: Any) -> dict[str, Any]:
    """Create a block that no agent holds yet, by a label of its own unless `fields` has one."""
    answer = client.post("/v1/blocks/", json={"label": ledger.name(), "value": value, **fields})
    must(status(answer))
    ledger.enter(f"/v1/blocks/{answer.json()['id']}")
    return dict(answer.json())


def held(agent: Agent, **query: Any) -> list[dict[str, Any]]:
    """Return the blocks of the agent as the list of its core memory gives them."""
    answer = agent.client.get(f"{agent.path}/core-memory/blocks", params={"limit": 100, **query})
    must(status(answer))
    return list(answer.json())


def values(agent: Agent) -> dict[str, str]:
    """Return the value of each block of the agent by its label."""
    return {block["label"]: block["value"] for block in held(agent)}


def block_path(agent: Agent, label: str, route: str) -> str:
    """Return where the block is edited: by its label, which is the agent's own route, or by its id."""
    if route == "by-label":
        return f"{agent.path}/core-memory/blocks/{label}"
    return f"/v1/blocks/{agent.block(label)['id']}"


def next_prompt(llm: ModelControl, agent: Agent) -> str:
    """Send a message and return the system prompt that the model got for it, what it says of memory first."""
    script = llm.script(say("Noted."))
    agent.send(script.prompt("Go on."))
    instructions, tag, memory = llm.last_system_prompt(script).partition("<memory_blocks>")
    return f"{tag}{memory}{instructions}"


def tool_returns(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the messages of a turn that tell what its tools gave back."""
    return [message for message in answer["messages"] if message["message_type"] == "tool_return_message"]
