"""Steps: what each call of the model was, cost and made, and what people think of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import echoed, equal, refused, status

from .turns import Turn, got, run_of, step_of

if TYPE_CHECKING:
    from pytest_letta.agent import Agent

    from .asking import Ask

_NEEDS = ["messages", "runs"]
_BECAUSE = "whoever asks why an agent did something begins with its run"


@contract("REST-STEPS-001", needs=_NEEDS, because=_BECAUSE)
def test_step_tells_its_model_and_its_run(ask: Ask, letta_agent: Agent, turn: Turn) -> None:
    """A step names its run, its agent and its model, and that it was done."""
    step = got(ask, f"/v1/steps/{step_of(turn)}")

    expected = {"id": step_of(turn), "run_id": run_of(turn), "agent_id": letta_agent.id, "status": "success"}
    must(echoed({**expected, "model": letta_agent.state["llm_config"]["model"]}, step, "the step"))
    if step.get("model_handle") is not None:  # from 0.16.6 on
        must(equal(letta_agent.state["model"], step["model_handle"], "handle of the model of the step"))


@contract("REST-STEPS-002", needs=_NEEDS, because="a list that always fails hides every step from every client")
def test_steps_of_an_agent_are_listed(ask: Ask, letta_agent: Agent, turn: Turn) -> None:
    """The list of steps by agent has the step of its turn."""
    listed = got(ask, "/v1/steps/", agent_id=letta_agent.id, limit=10)

    must(equal([step_of(turn)], [one["id"] for one in listed], "steps of the agent"))


@contract("REST-STEPS-003", needs=_NEEDS, because="feedback that is lost teaches nobody")
def test_feedback_on_a_step_is_kept(ask: Ask, turn: Turn) -> None:
    """Feedback with tags on a step is kept, replaced by the next, and refused when it is none."""
    path = f"/v1/steps/{step_of(turn)}"
    for feedback, tags in (("positive", ["kind", "a/b"]), ("negative", ["rude"])):
        must(status(ask("PATCH", f"{path}/feedback", {"feedback": feedback, "tags": tags})))
        must(echoed({"feedback": feedback, "tags": tags}, got(ask, path), "the step"))

    must(refused(ask("PATCH", f"{path}/feedback", {"feedback": "so-so"}), 422, naming="feedback"))


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/v1/runs/{run}/metrics", id="metrics-of-run"),
        pytest.param("/v1/steps/{step}/metrics", id="metrics-of-step"),
        pytest.param("/v1/steps/{step}/trace", id="trace-of-step"),
    ],
)
@contract("REST-STEPS-004", needs=_NEEDS, because="operators look here when turns are slow")
def test_metrics_and_trace_are_of_the_turn(ask: Ask, letta_agent: Agent, turn: Turn, path: str) -> None:
    """Metrics of a run and of a step name their run and agent; the trace of a step has what the model was asked."""
    found = got(ask, path.format(run=run_of(turn), step=step_of(turn)))

    if found is None:
        not_applicable("this server keeps no traces of what it asks its models")
    if path.endswith("trace"):
        asked = str(found.get("request_json"))
        must(None if "Hello." in asked else f"the trace does not have the message: {asked[:300]}")
    else:
        must(equal(letta_agent.id, found.get("agent_id"), "agent of the metrics"))
        must(equal(run_of(turn) if "/runs/" in path else step_of(turn), found.get("id"), "id of the metrics"))


@contract("REST-STEPS-005", needs=_NEEDS, because="bills are matched with steps by the number of the payment")
def test_transaction_of_a_step_is_kept(ask: Ask, turn: Turn) -> None:
    """The transaction that a step is given is told by the answer and by the step when it is read."""
    path = f"/v1/steps/{step_of(turn)}"

    answer = ask("PATCH", f"{path}/transaction/pytest-letta-1")

    must(status(answer) or echoed({"tid": "pytest-letta-1"}, answer.json(), "the answer"))
    must(echoed({"tid": "pytest-letta-1"}, got(ask, path), "the step"))


@contract("REST-STEPS-006", needs=_NEEDS, because="those who read the feedback look for the steps that have some")
def test_steps_are_listed_by_their_feedback(ask: Ask, letta_agent: Agent, turn: Turn) -> None:
    """The steps of an agent listed by a feedback, by its tag, or by having any, are those that have it."""
    letta_agent.send("And?")
    feedback = {"feedback": "positive", "tags": ["kind"]}
    must(status(ask("PATCH", f"/v1/steps/{step_of(turn)}/feedback", feedback)))

    for query in ({"feedback": "positive"}, {"has_feedback": "true"}, {"tags": "kind"}):
        listed = got(ask, "/v1/steps/", agent_id=letta_agent.id, **query)
        must(equal([step_of(turn)], [one["id"] for one in listed], f"steps listed by {query}"))
