"""Shared blocks: what one holder learns all are told, and what one loses the others keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, lacks, status
from pytest_letta.llm import call_tool, say

from .blocks import block_path, new_block, next_prompt, values

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.ownership import Ledger

_OLD, _NEW = "The release is in May.", "The release is in June."
_OWN = {"label": "persona", "value": "Speaks plainly."}


@pytest.mark.parametrize("way", ["by-label", "by-id", "by-model"])
@contract(
    "MEM-SHARED-001",
    needs=["core_memory", "blocks", "messages", "llm"],
    because="'When one agent updates the block, all others see the change immediately': docs.letta.com",
)
def test_edit_by_one_holder_is_in_the_prompt_of_the_other(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_llm: ModelControl, letta_ledger: Ledger, way: str
) -> None:
    """What one holder of a shared block made of it, by REST or by its model, is in the other's next prompt."""
    block = new_block(letta_client, letta_ledger, _OLD)
    writer, reader = (make_letta_agent(block_ids=[block["id"]]) for _ in range(2))
    must(contains(next_prompt(letta_llm, reader), _OLD, "prompt of the other holder before the edit"))

    if way == "by-model":
        arguments = {"label": block["label"], "old_string": _OLD, "new_string": _NEW}
        script = letta_llm.script(call_tool("memory_replace", arguments), say("Noted."))
        writer.send(script.prompt("The release is later."))
    else:
        must(status(letta_client.patch(block_path(writer, block["label"], way), json={"value": _NEW})))

    prompt = next_prompt(letta_llm, reader)
    must(contains(prompt, _NEW, "prompt of the other holder after the edit"))
    must(lacks(prompt, _OLD, "prompt of the other holder after the edit"))


@contract(
    "MEM-SHARED-002",
    needs=["core_memory", "blocks", "messages"],
    because="a block that many agents hold is deleted by one; the others must go on",
)
def test_holders_of_a_deleted_block_go_on(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger
) -> None:
    """When a shared block is deleted, every holder keeps its other blocks and answers messages."""
    block = new_block(letta_client, letta_ledger, _OLD)
    holders = [make_letta_agent(memory_blocks=[_OWN], block_ids=[block["id"]]) for _ in range(2)]

    must(status(letta_client.delete(f"/v1/blocks/{block['id']}"), 200, 204))

    for holder in holders:
        must(equal({"persona": _OWN["value"]}, values(holder), f"blocks of {holder.id} after the deletion"))
        message = {"role": "user", "content": "Go on."}
        must(status(letta_client.post(f"{holder.path}/messages", json={"messages": [message]})))


@contract(
    "MEM-SHARED-003",
    needs=["core_memory", "blocks", "messages", "llm"],
    because="an agent that is done is deleted; the team's memory is not its own to take along",
)
def test_block_outlives_one_of_its_holders(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_llm: ModelControl, letta_ledger: Ledger
) -> None:
    """When an agent is deleted, a block that it shared stays: by id, with its other holder, in its prompt."""
    block = new_block(letta_client, letta_ledger, _OLD)
    leaver, keeper = (make_letta_agent(block_ids=[block["id"]]) for _ in range(2))

    must(status(letta_client.delete(leaver.path), 200, 204))

    must(equal({block["label"]: _OLD}, values(keeper), "blocks of the other holder after the deletion"))
    by_id = letta_client.get(f"/v1/blocks/{block['id']}")
    must(status(by_id) or equal(_OLD, by_id.json().get("value"), "shared block by id after the deletion"))
    must(contains(next_prompt(letta_llm, keeper), _OLD, "prompt of the other holder after the deletion"))
