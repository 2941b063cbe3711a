"""Crash: the server is killed with SIGKILL, and what it had acknowledged is there when it is back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from pytest_letta import contract, could_not_run, must
from pytest_letta.conformance.checks import contains, equal, same_sequence, status
from pytest_letta.llm import call_tool, say

from .turns import open_runs, under_way

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.llm.control import Script
    from pytest_letta.stack.stack import Stack

_FACT = "Moved to Lisbon in spring."
_HERON = "The grey heron nests on the pylon behind the mill."
#: Longer than any contract takes: a turn that waits for this answer is under way when the server is killed.
_HOLD_S = 25.0
#: A server that cleans up after a crash does so when it starts, or soon after.
_SETTLED_LIMIT_S = 2.0
_KINDS = ("user_message", "assistant_message")


def _crash(stack: Stack) -> None:
    stack.kill("letta")
    stack.start("letta")


@contract(
    "MEM-CRASH-001",
    needs=["core_memory", "kill"],
    because="a crash right after an edit: out of memory, docker stop after its 10 seconds, a power cut",
)
def test_acknowledged_edit_survives_sigkill(letta_agent: Agent, letta_stack: Stack) -> None:
    """An edit of a block that was acknowledged just before SIGKILL is there afterwards, and so are other blocks."""
    must(equal(_FACT, letta_agent.edit_block("human", _FACT)["value"], "answer to the edit"))

    _crash(letta_stack)

    must(equal(_FACT, letta_agent.block("human")["value"], "edited block after SIGKILL"))
    must(equal("Helpful.", letta_agent.block("persona")["value"], "other block after SIGKILL"))


@contract(
    "MEM-CRASH-002",
    needs=["archival", "archival_search", "kill"],
    because="the embedding of a passage is made elsewhere; text and vector must be stored together or not at all",
)
def test_acknowledged_passage_survives_sigkill(letta_agent: Agent, letta_stack: Stack) -> None:
    """A passage that was acknowledged just before SIGKILL is listed and found afterwards."""
    passage = letta_agent.insert_passage(_HERON)

    _crash(letta_stack)

    listed = letta_agent.client.get(f"{letta_agent.path}/archival-memory", params={"limit": 10})
    must(status(listed))
    must(equal([passage["id"]], [each["id"] for each in listed.json()], "passages listed after SIGKILL"))
    found = [result["content"] for result in letta_agent.search_passages(_HERON)]
    must(contains(found, _HERON, "search for the passage's own words after SIGKILL"))


@contract(
    "MEM-CRASH-003",
    needs=["messages", "kill"],
    because="an answer that a user has read must not vanish from the agent's past",
)
def test_acknowledged_turn_survives_sigkill(letta_agent: Agent, letta_stack: Stack) -> None:
    """A turn that was answered just before SIGKILL is in the history afterwards, question and answer."""
    before = _said(letta_agent.messages())
    turn = letta_agent.send("Remember this.")

    _crash(letta_stack)

    said = [*before, ("user_message", "Remember this."), *_said(turn["messages"])]
    must(same_sequence(said, _said(letta_agent.messages()), "history after SIGKILL against what was said"))


@contract(
    "MEM-CRASH-004",
    needs=["messages", "runs", "llm", "kill"],
    because="runs that stay 'running' for ever hold locks and mislead dashboards: letta-ai/letta#2846",
)
def test_run_of_a_killed_turn_ends(letta_agent: Agent, letta_llm: ModelControl, letta_stack: Stack) -> None:
    """A run that was under way at SIGKILL is not created or running any more once the server is back."""
    with _turn_under_way(letta_agent, letta_llm):
        _crash(letta_stack)

    must(open_runs(letta_agent.client, letta_agent.id, _SETTLED_LIMIT_S))


@contract(
    "MEM-CRASH-005",
    needs=["messages", "llm", "kill"],
    because="an agent whose memory a crash left out of step cannot be messaged: letta-ai/letta commit 52ff51755",
)
def test_agent_answers_after_a_killed_turn(letta_agent: Agent, letta_llm: ModelControl, letta_stack: Stack) -> None:
    """An agent whose turn was killed answers the next message, and remembers the turns before."""
    letta_agent.send("Before the crash.")
    with _turn_under_way(letta_agent, letta_llm):
        _crash(letta_stack)

    script = letta_llm.script(say("Back again."))
    letta_agent.send(script.prompt("Are you there?"))

    must(contains(_said(letta_agent.messages()), ("assistant_message", "Back again."), "history after SIGKILL"))
    prompt = str(letta_llm.requests(script)[-1].body["messages"])
    must(contains(prompt, "Before the crash.", "first prompt after SIGKILL"))


@contract(
    "MEM-CRASH-006",
    needs=["messages", "core_memory", "llm", "kill"],
    because="a tool that ran has had its effect; an agent that forgot it does it twice",
)
def test_finished_step_of_a_killed_turn_is_kept(
    letta_agent: Agent, letta_llm: ModelControl, letta_stack: Stack
) -> None:
    """A step that ended before SIGKILL is kept: the user's message, the tool's call and result, and its effect."""
    edit = call_tool("memory_replace", {"label": "human", "old_string": "Name unknown.", "new_string": _FACT})
    with _turn_under_way(letta_agent, letta_llm, edit) as script:
        _crash(letta_stack)

    must(equal(_FACT, letta_agent.block("human")["value"], "block that the finished step edited"))
    kept = [message["message_type"] for message in letta_agent.messages()]
    for kind in ("user_message", "tool_call_message", "tool_return_message"):
        must(contains(kept, kind, "history after SIGKILL in the second step"))
    must(contains(str(_said(letta_agent.messages())), script.key, "history after SIGKILL in the second step"))


@contextmanager
def _turn_under_way(agent: Agent, llm: ModelControl, *first_steps: Any) -> Iterator[Script]:
    """Start a turn and wait until the model is asked for its last step; the turn may then break off."""
    last_step = say("Too late.", hold_s=_HOLD_S)
    with under_way(llm, agent, *first_steps, last_step, asked=len(first_steps) + 1) as turn:
        yield turn.script
    error = turn.answer.exception()
    if error is None:
        could_not_run(f"the turn ended before the server was killed, with {turn.answer.result().status_code}")
    if not isinstance(error, httpx.TransportError):
        raise error


def _said(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(m["message_type"], str(m.get("content"))) for m in messages if m["message_type"] in _KINDS]
