"""Parallel edits of several blocks and of shared ones: nothing acknowledged is lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, refused, status
from pytest_letta.telling import answered

from .blocks import block_path, new_block, next_prompt, values

if TYPE_CHECKING:
    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.ownership import Ledger

_ROUNDS = 6
_RIVALS = 3


def _together(*calls: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """Make all calls at once; each is to end in 200 or 409, and one of them at least in 200."""
    with ThreadPoolExecutor(len(calls)) as pool:
        answers = [future.result() for future in [pool.submit(call) for call in calls]]
    for answer in answers:
        must(status(answer, 200, 409))
    some = any(answer.status_code == 200 for answer in answers)
    must(None if some else f"none of {len(calls)} parallel writes was accepted: {answered(answers[0])}")
    return answers


def _edit(client: httpx.Client, path: str, value: str) -> Callable[[], httpx.Response]:
    return lambda: client.patch(path, json={"value": value})


@pytest.mark.parametrize("route", ["by-label", "by-id"])
@contract(
    "MEM-PARALLEL-003",
    needs=["core_memory", "blocks", "messages", "llm"],
    because="two sources write to one agent at once, each to its own block; neither knows of the other",
)
def test_parallel_edits_of_two_blocks_are_both_kept(letta_agent: Agent, letta_llm: ModelControl, route: str) -> None:
    """Parallel edits of two blocks of one agent are kept if acknowledged, over REST and in the next prompt."""
    paths = {label: block_path(letta_agent, label, route) for label in ("human", "persona")}
    expected = values(letta_agent)

    for number in range(_ROUNDS):
        sent = {label: f"{label} in round {number}." for label in paths}
        edits = [_edit(letta_agent.client, path, sent[label]) for label, path in paths.items()]
        for label, answer in zip(paths, _together(*edits), strict=True):
            if answer.status_code == 200:
                expected[label] = sent[label]
        must(equal(expected, values(letta_agent), f"acknowledged values after round {number} of parallel edits"))

    prompt = next_prompt(letta_llm, letta_agent)
    for value in expected.values():
        must(contains(prompt, value, "prompt after parallel edits"))


@contract(
    "MEM-PARALLEL-004",
    needs=["core_memory", "blocks"],
    because="knowledge is attached and detached while other blocks are written: neither may undo the other",
)
def test_attaching_and_detaching_beside_an_edit(letta_agent: Agent, letta_ledger: Ledger) -> None:
    """A block that is attached or detached while another is edited ends as acknowledged, and so does the edit."""
    client = letta_agent.client
    block = new_block(client, letta_ledger, "Now and then.")
    path = block_path(letta_agent, "human", "by-label")
    expected = values(letta_agent)

    for number in range(_ROUNDS):
        verb, value = ("detach", "attach")[number % 2 == 0], f"Written in round {number}."
        moved, edited = _together(
            lambda verb=verb: client.patch(f"{letta_agent.path}/core-memory/blocks/{verb}/{block['id']}"),  # type: ignore[misc]
            _edit(client, path, value),
        )
        # What was refused is tried again alone, so that the next round begins where this one should have ended.
        if moved.status_code == 409:
            must(status(client.patch(f"{letta_agent.path}/core-memory/blocks/{verb}/{block['id']}")))
        expected |= {"human": value} if edited.status_code == 200 else {}
        held = {block["label"]: block["value"]} if verb == "attach" else {}
        must(equal(expected | held, values(letta_agent), f"blocks after round {number}, {verb} beside an edit"))


@contract(
    "MEM-PARALLEL-005",
    needs=["core_memory", "blocks"],
    because="agents that share a block write to it whenever they like",
)
def test_parallel_edits_of_a_shared_block_through_its_holders(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger
) -> None:
    """A shared block that is edited through two agents at once has one acknowledged value, the same for both."""
    block = new_block(letta_client, letta_ledger, "Nobody wrote yet.")
    holders = [make_letta_agent(block_ids=[block["id"]]) for _ in range(2)]
    paths = [f"{holder.path}/core-memory/blocks/{block['label']}" for holder in holders]

    for number in range(_ROUNDS):
        sent = [f"Round {number}, agent {n}." for n in range(len(holders))]
        answers = _together(*(_edit(letta_client, path, text) for path, text in zip(paths, sent, strict=True)))

        acknowledged = [text for text, answer in zip(sent, answers, strict=True) if answer.status_code == 200]
        seen = [holder.block(block["label"])["value"] for holder in holders]
        must(contains(acknowledged, seen[0], f"acknowledged texts of round {number}, against the first holder's"))
        must(equal(seen[0], seen[1], f"shared block as the second holder reads it after round {number}"))


@contract(
    "MEM-PARALLEL-006",
    needs=["core_memory", "blocks"],
    because="of two blocks that were both said to be attached, one is not there",
)
def test_one_of_several_blocks_of_a_label_is_attached(make_letta_agent: AgentMaker, letta_ledger: Ledger) -> None:
    """Of several blocks of one label that are attached at once, one is; the others are refused with 409."""
    agent = make_letta_agent()
    label = letta_ledger.name()
    rivals = [new_block(agent.client, letta_ledger, f"Rival {n}.", label=label) for n in range(_RIVALS)]

    def attach(block: dict[str, Any]) -> Callable[[], httpx.Response]:
        return lambda: agent.client.patch(f"{agent.path}/core-memory/blocks/attach/{block['id']}")

    answers = _together(*map(attach, rivals))

    accepted = [one["value"] for one, answer in zip(rivals, answers, strict=True) if answer.status_code == 200]
    must(equal(1, len(accepted), f"how many of {_RIVALS} blocks of one label were accepted at once"))
    must(equal({label: accepted[0]}, values(agent), "blocks of the agent against the one that was accepted"))
    for answer in answers:
        must(None if answer.status_code == 200 else refused(answer, 409, naming=label))
