"""Partition: a turn whose end the database misses is not acknowledged, or it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, could_not_run, must, not_applicable
from pytest_letta.conformance.checks import contains
from pytest_letta.llm import say

from .turns import TEXT, open_runs, under_way

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.stack.stack import Stack

#: Long enough to cut the database off while the model thinks.
_HOLD_S = 3.0
#: Who tidies up after a turn that failed does so at its end, or soon after.
_SETTLED_LIMIT_S = 5.0


@contract(
    "MEM-PARTITION-001",
    needs=["messages", "llm", "partition"],
    because="an answer that a user has read must not vanish from the agent's past",
)
def test_acknowledged_turn_is_kept_when_the_database_was_cut_off(
    letta_agent: Agent, letta_llm: ModelControl, letta_stack: Stack
) -> None:
    """A turn that is acknowledged is in the history, though the database was cut off before it ended."""
    answer = _turn_that_ends_without_database(letta_agent, letta_llm, letta_stack)

    if answer.is_success:
        said = [str(message.get("content")) for message in letta_agent.messages()]
        must(contains(" ".join(said), TEXT, "history after a turn that was acknowledged with 200"))
        must(contains(said, "I took it.", "history after a turn that was acknowledged with 200"))


@contract(
    "MEM-PARTITION-002",
    needs=["messages", "llm", "partition"],
    because="an agent whose memory was left out of step cannot be messaged: letta-ai/letta commit 52ff51755",
)
def test_agent_answers_when_the_database_is_back(
    letta_agent: Agent, letta_llm: ModelControl, letta_stack: Stack
) -> None:
    """An agent whose turn broke off with the database answers the next message, and remembers the turns before."""
    letta_agent.send("Before the cut.")
    _turn_that_ends_without_database(letta_agent, letta_llm, letta_stack)

    script = letta_llm.script(say("Back again."))
    letta_agent.send(script.prompt("Are you there?"))

    prompt = str(letta_llm.requests(script)[-1].body["messages"])
    must(contains(prompt, "Before the cut.", "first prompt after the database was back"))
    said = [str(message.get("content")) for message in letta_agent.messages()]
    must(contains(said, "Back again.", "history after the database was back"))


@contract(
    "MEM-PARTITION-003",
    needs=["messages", "runs", "llm", "partition"],
    because="runs that stay 'running' for ever hold locks and mislead dashboards: letta-ai/letta#2846",
)
def test_run_of_a_turn_that_broke_off_ends(letta_agent: Agent, letta_llm: ModelControl, letta_stack: Stack) -> None:
    """A run whose turn broke off with the database is not created or running once the database is back."""
    answer = _turn_that_ends_without_database(letta_agent, letta_llm, letta_stack)

    still = open_runs(letta_agent.client, letta_agent.id, _SETTLED_LIMIT_S)
    must(f"{still}: it ended with {answer.status_code}" if still else None)


def _turn_that_ends_without_database(agent: Agent, llm: ModelControl, stack: Stack) -> httpx.Response:
    """Make a turn, cut the database off while the model thinks, and connect it again when the turn has ended."""
    if "postgres" not in stack.services:
        not_applicable("the database is not of this stack")
    with under_way(llm, agent, say("I took it.", hold_s=_HOLD_S)) as turn:
        stack.partition("postgres")
        try:
            if turn.answer.done():
                could_not_run("the turn ended before the database was cut off")
            return turn.answer.result()
        finally:
            stack.rejoin("postgres")
