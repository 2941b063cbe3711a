"""Core memory blocks: an edit reaches the block that was meant, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import echoed, equal, lacks, refused, status

from .blocks import held, new_block

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.ownership import Ledger

_THREE = [
    {"label": "human", "value": "Name unknown."},
    {"label": "persona", "value": "Helpful.", "description": "Who I am."},
    {"label": "project", "value": "Line 1\nLine 2\n", "limit": 500},
]


def _blocks(agent: Agent) -> dict[str, dict[str, Any]]:
    return {block["label"]: block for block in held(agent)}


@pytest.mark.parametrize(
    "route",
    [
        pytest.param("{agent}/core-memory/blocks/human", id="agent-route"),
        pytest.param("/v1/blocks/{block}", id="block-route"),
    ],
)
@contract(
    "MEM-BLOCK-001",
    needs=["core_memory", "blocks"],
    because="an edit that spills into another block destroys memory: letta-ai/letta commit 3e15159d8",
)
def test_edit_of_a_block_leaves_the_others_alone(make_letta_agent: AgentMaker, route: str) -> None:
    """Editing one block changes the value of that block, nothing else of it, and no other block."""
    agent = make_letta_agent(memory_blocks=_THREE)
    before = _blocks(agent)

    path = route.format(agent=agent.path, block=before["human"]["id"])
    must(status(agent.client.patch(path, json={"value": "Likes tea."})))

    after = _blocks(agent)
    kept = {field: before["human"][field] for field in ("id", "label", "limit", "description")}
    must(echoed({**kept, "value": "Likes tea."}, after["human"], "block human after its edit"))
    must(equal(before["persona"], after.get("persona"), "block persona after an edit of block human"))
    must(equal(before["project"], after.get("project"), "block project after an edit of block human"))


@contract(
    "MEM-BLOCK-002",
    needs=["core_memory"],
    because="Letta 0.8.17 to 0.16.1 answered 200 and overwrote another block; fixed in commit 3e15159d8",
)
def test_edit_of_an_unknown_label_is_refused(make_letta_agent: AgentMaker) -> None:
    """Editing a block by a label that the agent does not have is refused with 404, and no block changes."""
    agent = make_letta_agent(memory_blocks=_THREE)
    before = _blocks(agent)

    answer = agent.client.patch(f"{agent.path}/core-memory/blocks/no-such-label", json={"value": "Overwritten."})

    must(equal(before, _blocks(agent), "blocks after an edit of the unknown label 'no-such-label'"))
    must(refused(answer, 404, naming="no-such-label"))


@contract(
    "MEM-BLOCK-003",
    needs=["core_memory", "blocks"],
    because="teams of agents share state by shared blocks: docs.letta.com, multi-agent shared memory",
)
def test_shared_block_is_one_block_for_all_its_holders(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger
) -> None:
    """An edit of a shared block, by either holder, is what both read at once."""
    block = new_block(letta_client, letta_ledger, "Nobody wrote yet.")
    first, second = (make_letta_agent(block_ids=[block["id"]]) for _ in range(2))
    # Each view is read before the edit too, so that an answer that was kept somewhere shows.
    for writer, reader in ((first, second), (second, first)):
        reader.block(block["label"])
        text = f"Written by {writer.id}."

        writer.edit_block(block["label"], text)

        must(
            equal(
                text, reader.block(block["label"])["value"], f"shared block as its other holder {reader.id} reads it"
            )
        )
        must(
            equal(text, letta_client.get(f"/v1/blocks/{block['id']}").json().get("value"), "shared block read by id")
        )


@contract(
    "MEM-BLOCK-004",
    needs=["core_memory", "blocks"],
    because="what a user had deleted must not come back; a block outlives its agents and is held by many",
)
def test_deleted_block_is_gone_from_every_view(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger
) -> None:
    """A deleted block is gone by id, from the list of blocks, and from the memory of every agent that held it."""
    block = new_block(letta_client, letta_ledger, "To be forgotten.")
    holders = [make_letta_agent(block_ids=[block["id"]]) for _ in range(2)]

    must(status(letta_client.delete(f"/v1/blocks/{block['id']}"), 200, 204))

    must(refused(letta_client.get(f"/v1/blocks/{block['id']}"), 404, naming=block["id"]))
    listed = letta_client.get("/v1/blocks/", params={"label": block["label"], "limit": 100})
    must(status(listed) or lacks([each["id"] for each in listed.json()], block["id"], "list of blocks"))
    for holder in holders:
        _must_not_hold(holder, block)


@contract(
    "MEM-BLOCK-005",
    needs=["core_memory", "blocks"],
    because="a detached block that stays in an agent's memory leaks what was taken from it",
)
def test_detached_block_leaves_one_agent_only(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger
) -> None:
    """A detached block leaves every view of that agent, and stays with its other holder and by id."""
    block = new_block(letta_client, letta_ledger, "Shared for a while.")
    leaver, keeper = (make_letta_agent(block_ids=[block["id"]]) for _ in range(2))

    must(status(letta_client.patch(f"{leaver.path}/core-memory/blocks/detach/{block['id']}")))

    _must_not_hold(leaver, block)
    must(equal(block["value"], keeper.block(block["label"])["value"], "block as its other holder reads it"))
    must(equal(block["value"], letta_client.get(f"/v1/blocks/{block['id']}").json().get("value"), "block by id"))


@pytest.mark.parametrize("route", ["create", "edit-by-label", "edit-by-id"])
@contract(
    "MEM-BLOCK-006",
    needs=["core_memory", "blocks"],
    because="the limit bounds the prompt; up to Letta 0.16.6 it was enforced (letta-ai/letta commit d3f3a38fc)",
)
def test_value_over_the_limit_is_refused(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger, route: str
) -> None:
    """A value longer than the limit of its block is refused, and the block keeps the value that it had."""
    agent = make_letta_agent(memory_blocks=[{"label": "human", "value": "Short.", "limit": 20}])
    block = agent.block("human")
    long = "x" * 21

    if route == "create":
        answer = letta_client.post("/v1/blocks/", json={"label": letta_ledger.name(), "value": long, "limit": 20})
        if answer.is_success:
            letta_ledger.enter(f"/v1/blocks/{answer.json()['id']}")
    elif route == "edit-by-label":
        answer = letta_client.patch(f"{agent.path}/core-memory/blocks/human", json={"value": long})
    else:
        answer = letta_client.patch(f"/v1/blocks/{block['id']}", json={"value": long})

    # 422 where the request's own schema refuses it, 400 where the stored block does: 0.11.7 and 0.16.5 use both.
    must(refused(answer, 400, 422, naming="limit"))
    must(equal("Short.", agent.block("human")["value"], "block after the refusal"))


def _must_not_hold(agent: Agent, block: dict[str, Any]) -> None:
    label = block["label"]
    must(refused(agent.client.get(f"{agent.path}/core-memory/blocks/{label}"), 404, naming=label))
    must(lacks([each["id"] for each in _blocks(agent).values()], block["id"], f"core memory blocks of {agent.id}"))
    state = agent.client.get(agent.path)
    must(status(state) or lacks(state.text, block["id"], f"state of {agent.id}"))
