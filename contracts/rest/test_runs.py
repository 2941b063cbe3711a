"""Runs: what happened in a turn can be looked up by its run, and selected among others."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, echoed, equal, refused, same_set, status
from pytest_letta.llm import call_tool, say

from .turns import Turn, got, run_of, step_of

if TYPE_CHECKING:
    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.settings import Settings

    from .asking import Ask

_NEEDS = ["messages", "runs"]
_BECAUSE = "whoever asks why an agent did something begins with its run"


@contract("REST-RUNS-001", needs=_NEEDS, because=_BECAUSE)
def test_run_of_a_turn_is_completed(ask: Ask, letta_agent: Agent, turn: Turn) -> None:
    """The run of a turn is completed for the reason of the turn, and in the list of the agent's runs."""
    run = got(ask, f"/v1/runs/{run_of(turn)}")

    expected = {"id": run_of(turn), "status": "completed", "agent_id": letta_agent.id, "background": False}
    must(echoed({**expected, "stop_reason": turn["stop_reason"]["stop_reason"]}, run, "the run"))
    must(None if run.get("completed_at") else "the completed run has no completed_at")
    listed = got(ask, "/v1/runs/", agent_id=letta_agent.id)
    must(equal([run["id"]], [one["id"] for one in listed], "runs of the agent"))
    must(equal([], got(ask, "/v1/runs/", agent_id=letta_agent.id, active="true"), "active runs of the agent"))


@contract("REST-RUNS-002", needs=_NEEDS, because="bills and budgets are made of it")
def test_usage_of_a_run_is_that_of_its_turn(ask: Ask, turn: Turn) -> None:
    """The usage of a run, and of its steps together, is the usage that the turn told."""
    fields = ("prompt_tokens", "completion_tokens", "total_tokens")
    told = {field: turn["usage"][field] for field in fields}

    must(echoed(told, got(ask, f"/v1/runs/{run_of(turn)}/usage"), "usage of the run"))
    steps = got(ask, f"/v1/runs/{run_of(turn)}/steps")
    must(equal(turn["usage"]["step_count"], len(steps), "number of steps of the run"))
    must(equal(told, {field: sum(one[field] for one in steps) for field in fields}, "usage of the steps together"))


@contract("REST-RUNS-003", needs=_NEEDS, because="a message that is in the history and not in its run is unexplained")
def test_messages_of_a_run_are_those_of_the_history(ask: Ask, letta_agent: Agent, turn: Turn) -> None:
    """The messages of a run, and of its step, are those that the agent's history has of it."""
    kept = [one for one in letta_agent.messages() if one.get("run_id") == run_of(turn)]

    for path in (f"/v1/runs/{run_of(turn)}/messages", f"/v1/steps/{step_of(turn)}/messages"):
        found = got(ask, path)
        must(same_set([one["id"] for one in kept], [one["id"] for one in found], f"ids of {path}"))
    texts = {one["content"] for one in got(ask, f"/v1/runs/{run_of(turn)}/messages") if "content" in one}
    must(equal({one["content"] for one in kept if "content" in one}, texts, "texts of the messages of the run"))


@contract("REST-RUNS-004", needs=[*_NEEDS, "llm", "core_memory"], because="a step is one call of the model")
def test_each_call_of_the_model_is_a_step(ask: Ask, letta_agent: Agent, letta_llm: ModelControl) -> None:
    """A turn with one call of a tool has two steps, listed in order, each with the messages that it made."""
    edit = {"label": "human", "old_string": "Name unknown.", "new_string": "Zo\u00eb."}
    script = letta_llm.script(call_tool("memory_replace", edit), say("Noted."))

    turn = letta_agent.send(script.prompt())

    made = list(dict.fromkeys(one["step_id"] for one in turn["messages"]))
    steps = got(ask, f"/v1/runs/{run_of(turn)}/steps", order="asc")
    must(equal(made, [one["id"] for one in steps], "steps of the run, in order"))
    kept = letta_agent.messages()
    for number, step in enumerate(made, 1):
        own = [one["id"] for one in kept if one.get("step_id") == step]
        found = [one["id"] for one in got(ask, f"/v1/steps/{step}/messages")]
        must(same_set(own, found, f"ids of the messages of step {number}, against the history"))


@pytest.mark.parametrize("by", ["agent", "status", "background", "stop-reason", "active"])
@contract("REST-RUNS-005", needs=_NEEDS, because="operators look for the failed ones among thousands")
def test_filter_of_runs_selects_exactly(ask: Ask, make_letta_agent: AgentMaker, by: str) -> None:
    """Runs of an agent listed by what its run has are that run; by what it has not, none."""
    agent = make_letta_agent()
    turn = agent.send("Hello.")
    if by == "agent":
        make_letta_agent().send("Hello.")
    run, reason = run_of(turn), turn["stop_reason"]["stop_reason"]
    having: dict[str, tuple[dict[str, str], dict[str, str]]] = {
        "agent": ({}, {"agent_id": agent.id[:-1] + ("0" if agent.id[-1] != "0" else "1")}),
        "status": ({"statuses": "completed"}, {"statuses": "failed"}),
        "background": ({"background": "false"}, {"background": "true"}),
        "stop-reason": ({"stop_reason": reason}, {"stop_reason": "cancelled"}),
        "active": ({"active": "false"}, {"active": "true"}),
    }
    yes, no = having[by]

    found = got(ask, "/v1/runs/", **{"agent_id": agent.id, **yes})
    must(equal([run], [one["id"] for one in found], f"runs of the agent listed by {yes}"))
    must(equal([], got(ask, "/v1/runs/", **{"agent_id": agent.id, **no}), f"runs listed by {no}"))


@contract("REST-RUNS-006", needs=[*_NEEDS, "async"], because="who does not wait for a turn asks for its run later")
def test_run_of_a_turn_that_nobody_waits_for_is_completed(
    ask: Ask, letta_agent: Agent, letta_settings: Settings
) -> None:
    """A turn that is begun without waiting gives its run, which ends as completed with the answer of the agent."""
    begun = ask("POST", f"{letta_agent.path}/messages/async", {"messages": [{"role": "user", "content": "Hello."}]})
    must(status(begun))
    path = f"/v1/runs/{begun.json()['id']}"

    run = _ended(ask, path, letta_settings.timeout)

    must(echoed({"status": "completed", "agent_id": letta_agent.id, "background": True}, run, "the run that ended"))
    kinds = [one["message_type"] for one in got(ask, f"{path}/messages")]
    must(contains(kinds, "assistant_message", "messages of the run"))


@contract("REST-RUNS-007", needs=_NEEDS, because="what was said in confidence must be possible to remove")
def test_deleted_run_is_gone(ask: Ask, letta_agent: Agent, turn: Turn) -> None:
    """A deleted run is gone by its id and from the runs of its agent."""
    must(status(ask("DELETE", f"/v1/runs/{run_of(turn)}"), 200, 204))

    must(refused(ask("GET", f"/v1/runs/{run_of(turn)}"), 404, naming=run_of(turn)))
    must(equal([], got(ask, "/v1/runs/", agent_id=letta_agent.id), "runs of the agent after the deletion"))


def _ended(ask: Ask, path: str, timeout_s: float) -> Turn:
    deadline = time.monotonic() + timeout_s
    while True:
        run: Turn = got(ask, path)
        if run["status"] not in ("created", "running"):
            return run
        is_late = time.monotonic() > deadline
        must(f"the run is {run['status']} after {timeout_s:g} s" if is_late else None)
        time.sleep(0.05)
