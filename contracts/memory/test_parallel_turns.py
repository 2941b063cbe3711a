"""Edits beside a turn whose model edits memory itself: nothing acknowledged is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, status
from pytest_letta.llm import call_tool, say

from .blocks import block_path, new_block, next_prompt, tool_returns, values
from .turns import under_way

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.llm.reply import Reply
    from pytest_letta.ownership import Ledger

#: So long the model is held back, that what is to be done meanwhile is done when it answers.
_HOLD_S = 0.8


@pytest.mark.parametrize("edited", ["another-block", "same-block", "attached", "detached"])
@contract(
    "MEM-PARALLEL-007",
    needs=["core_memory", "blocks", "messages", "llm"],
    because="an owner corrects the memory while the agent thinks, which can take minutes",
)
def test_what_is_written_during_a_turn_is_kept(
    make_letta_agent: AgentMaker, letta_llm: ModelControl, letta_ledger: Ledger, edited: str
) -> None:
    """A change over REST that was acknowledged during a turn is kept, though the model edits a block too."""
    blocks = [{"label": "human", "value": "Name unknown."}, {"label": "persona", "value": "Helpful."}]
    agent = make_letta_agent(memory_blocks=blocks)
    extra = new_block(agent.client, letta_ledger, "Now and then.")
    moving = f"{agent.path}/core-memory/blocks/{{}}/{extra['id']}"
    if edited == "detached":
        must(status(agent.client.patch(moving.format("attach"))))
    label = {"another-block": "persona", "same-block": "human"}.get(edited)
    insert = call_tool("memory_insert", {"label": "human", "new_string": "Likes tea."}, hold_s=_HOLD_S)

    with under_way(letta_llm, agent, insert, say("Noted.")) as turn:
        if label:
            answer = agent.client.patch(block_path(agent, label, "by-label"), json={"value": "Corrected."})
        else:
            answer = agent.client.patch(moving.format(edited.removesuffix("ed")))
        must(status(answer, 200, 409))
    after = turn.answer.result()
    must(status(after))

    now = values(agent)
    if answer.status_code == 200:
        if label:
            must(contains(now[label], "Corrected.", f"block {label}, corrected during the turn"))
            must(contains(next_prompt(letta_llm, agent), "Corrected.", "prompt after the turn"))
        else:
            must(
                equal(edited == "attached", extra["label"] in now, f"whether the block {edited} in the turn is held")
            )
    if [one["status"] for one in tool_returns(after.json())] == ["success"] and edited != "same-block":
        must(equal(["Name unknown.", "Likes tea."], now["human"].splitlines(), "lines that the model left"))


@contract(
    "MEM-PARALLEL-008",
    needs=["core_memory", "blocks", "messages", "llm"],
    because="agents share a block to work at the same time; an insertion takes nothing from the others",
)
def test_insertions_of_two_models_into_a_shared_block_are_both_kept(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_llm: ModelControl, letta_ledger: Ledger
) -> None:
    """When the models of two agents insert into a shared block at once, each is told an error or its line is kept."""
    block = new_block(letta_client, letta_ledger, "Known so far:")
    first, second = (make_letta_agent(block_ids=[block["id"]]) for _ in range(2))
    lines = {first.id: "The door is red.", second.id: "The key is blue."}

    def insert(agent: Agent) -> Reply:
        arguments = {"label": block["label"], "new_string": lines[agent.id]}
        return call_tool("memory_insert", arguments, hold_s=_HOLD_S)

    with (
        under_way(letta_llm, first, insert(first), say("Noted.")) as one,
        under_way(letta_llm, second, insert(second), say("Noted.")) as other,
    ):
        pass

    kept = letta_client.get(f"/v1/blocks/{block['id']}").json()["value"].splitlines()
    for agent, turn in ((first, one), (second, other)):
        must(status(turn.answer.result()))
        if [each["status"] for each in tool_returns(turn.answer.result().json())] == ["success"]:
            must(contains(kept, lines[agent.id], "lines of the shared block, of which the tool said it was inserted"))
