"""Runs, steps and messages: what happened in a turn can be looked up afterwards, from each end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, echoed, equal, refused, same_set, status
from pytest_letta.llm import call_tool, say

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl

    from .conftest import Ask

_NEEDS = ["messages", "runs"]
_BECAUSE = "whoever asks why an agent did something begins with its run"


@pytest.fixture
def turn(letta_agent: Agent) -> dict[str, Any]:
    """A turn of the agent: the answer to a message."""
    return letta_agent.send("Hello.")


def _run_of(turn: dict[str, Any]) -> str:
    return str(turn["messages"][0]["run_id"])


def _step_of(turn: dict[str, Any]) -> str:
    return str(turn["messages"][0]["step_id"])


def _got(ask: Ask, path: str, **query: Any) -> Any:
    answer = ask("GET", path, **query)
    must(status(answer))
    return answer.json()


@contract("REST-RUNS-001", needs=_NEEDS, because=_BECAUSE)
def test_run_of_a_turn_is_completed(ask: Ask, letta_agent: Agent, turn: dict[str, Any]) -> None:
    """The run of a turn is completed for the reason of the turn, and in the list of the agent's runs."""
    run = _got(ask, f"/v1/runs/{_run_of(turn)}")

    expected = {"id": _run_of(turn), "status": "completed", "agent_id": letta_agent.id, "background": False}
    must(echoed({**expected, "stop_reason": turn["stop_reason"]["stop_reason"]}, run, "the run"))
    must(None if run.get("completed_at") else "the completed run has no completed_at")
    listed = _got(ask, "/v1/runs/", agent_id=letta_agent.id)
    must(equal([run["id"]], [one["id"] for one in listed], "runs of the agent"))
    must(equal([], _got(ask, "/v1/runs/", agent_id=letta_agent.id, active="true"), "active runs of the agent"))


@contract("REST-RUNS-002", needs=_NEEDS, because="bills and budgets are made of it")
def test_usage_of_a_run_is_that_of_its_turn(ask: Ask, turn: dict[str, Any]) -> None:
    """The usage of a run, and of its steps together, is the usage that the turn told."""
    fields = ("prompt_tokens", "completion_tokens", "total_tokens")
    told = {field: turn["usage"][field] for field in fields}

    must(echoed(told, _got(ask, f"/v1/runs/{_run_of(turn)}/usage"), "usage of the run"))
    steps = _got(ask, f"/v1/runs/{_run_of(turn)}/steps")
    must(equal(turn["usage"]["step_count"], len(steps), "number of steps of the run"))
    must(equal(told, {field: sum(one[field] for one in steps) for field in fields}, "usage of the steps together"))


@contract("REST-RUNS-003", needs=_NEEDS, because="a message that is in the history and not in its run is unexplained")
def test_messages_of_a_run_are_those_of_the_history(ask: Ask, letta_agent: Agent, turn: dict[str, Any]) -> None:
    """The messages of a run, and of its step, are those that the agent's history has of it."""
    kept = [one for one in letta_agent.messages() if one.get("run_id") == _run_of(turn)]

    for path in (f"/v1/runs/{_run_of(turn)}/messages", f"/v1/steps/{_step_of(turn)}/messages"):
        found = _got(ask, path)
        must(same_set([one["id"] for one in kept], [one["id"] for one in found], f"ids of {path}"))
    texts = {one["content"] for one in _got(ask, f"/v1/runs/{_run_of(turn)}/messages") if "content" in one}
    must(equal({one["content"] for one in kept if "content" in one}, texts, "texts of the messages of the run"))


@contract("REST-RUNS-004", needs=[*_NEEDS, "llm", "core_memory"], because="a step is one call of the model")
def test_each_call_of_the_model_is_a_step(ask: Ask, letta_agent: Agent, letta_llm: ModelControl) -> None:
    """A turn with one call of a tool has two steps, listed in order, each with the messages that it made."""
    edit = {"label": "human", "old_string": "Name unknown.", "new_string": "Zo\u00eb."}
    script = letta_llm.script(call_tool("memory_replace", edit), say("Noted."))

    turn = letta_agent.send(script.prompt())

    made = list(dict.fromkeys(one["step_id"] for one in turn["messages"]))
    steps = _got(ask, f"/v1/runs/{_run_of(turn)}/steps", order="asc")
    must(equal(made, [one["id"] for one in steps], "steps of the run, in order"))
    kept = letta_agent.messages()
    for number, step in enumerate(made, 1):
        own = [one["id"] for one in kept if one.get("step_id") == step]
        found = [one["id"] for one in _got(ask, f"/v1/steps/{step}/messages")]
        must(same_set(own, found, f"ids of the messages of step {number}, against the history"))


@contract("REST-STEPS-001", needs=_NEEDS, because=_BECAUSE)
def test_step_tells_its_model_and_its_run(ask: Ask, letta_agent: Agent, turn: dict[str, Any]) -> None:
    """A step names its run, its agent, its model and why it stopped."""
    step = _got(ask, f"/v1/steps/{_step_of(turn)}")

    expected = {"id": _step_of(turn), "run_id": _run_of(turn), "agent_id": letta_agent.id, "status": "success"}
    must(echoed({**expected, "model_handle": letta_agent.state["model"]}, step, "the step"))


@contract("REST-STEPS-002", needs=_NEEDS, because="a list that always fails hides every step from every client")
def test_steps_of_an_agent_are_listed(ask: Ask, letta_agent: Agent, turn: dict[str, Any]) -> None:
    """The list of steps by agent has the step of its turn."""
    listed = _got(ask, "/v1/steps/", agent_id=letta_agent.id, limit=10)

    must(equal([_step_of(turn)], [one["id"] for one in listed], "steps of the agent"))


@contract("REST-STEPS-003", needs=_NEEDS, because="feedback that is lost teaches nobody")
def test_feedback_on_a_step_is_kept(ask: Ask, turn: dict[str, Any]) -> None:
    """Feedback with tags on a step is kept, replaced by the next, and refused when it is none."""
    path = f"/v1/steps/{_step_of(turn)}"
    for feedback, tags in (("positive", ["kind", "a/b"]), ("negative", ["rude"])):
        must(status(ask("PATCH", f"{path}/feedback", {"feedback": feedback, "tags": tags})))
        must(echoed({"feedback": feedback, "tags": tags}, _got(ask, path), "the step"))

    must(refused(ask("PATCH", f"{path}/feedback", {"feedback": "so-so"}), 422, naming="feedback"))


@pytest.mark.parametrize("path", ["/v1/runs/{run}/metrics", "/v1/steps/{step}/metrics", "/v1/steps/{step}/trace"])
@contract("REST-STEPS-004", needs=_NEEDS, because="operators look here when turns are slow")
def test_metrics_and_trace_are_of_the_turn(ask: Ask, letta_agent: Agent, turn: dict[str, Any], path: str) -> None:
    """Metrics of a run and of a step name their run and agent; the trace of a step has what the model was asked."""
    found = _got(ask, path.format(run=_run_of(turn), step=_step_of(turn)))

    if path.endswith("trace"):
        asked = str(found.get("request_json"))
        must(None if "Hello." in asked else f"the trace does not have the message: {asked[:300]}")
    else:
        must(equal(letta_agent.id, found.get("agent_id"), "agent of the metrics"))
        must(equal(_run_of(turn) if "/runs/" in path else _step_of(turn), found.get("id"), "id of the metrics"))


@contract("REST-MESSAGES-001", needs=["messages"], because="links to a message are kept by its id")
def test_message_is_read_by_its_id(ask: Ask, letta_agent: Agent, turn: dict[str, Any]) -> None:
    """A message that was read in the history is the same when read by its id."""
    for kept in letta_agent.messages():
        if kept["message_type"] not in ("user_message", "assistant_message"):
            continue
        found = _got(ask, f"/v1/messages/{kept['id']}")
        same = [one for one in found if one["message_type"] == kept["message_type"]]
        kinds = [one["message_type"] for one in found]
        must(equal(1, len(same), f"messages of type {kept['message_type']} by the id, among {kinds}"))
        must(echoed({"id": kept["id"], "content": kept["content"]}, same[0], "the message by its id"))


@contract("REST-MESSAGES-002", needs=["messages"], because="operators look at what was said last, whoever said it")
def test_newest_messages_of_all_agents_have_ours(ask: Ask, turn: dict[str, Any]) -> None:
    """The list of the messages of all agents, newest first, has that of the turn that just ended."""
    newest = _got(ask, "/v1/messages/", limit=50, order="desc")

    must(contains([one["id"] for one in newest], turn["messages"][-1]["id"], "the newest 50 messages of all agents"))


@contract(
    "REST-MESSAGES-003",
    needs=["messages", "runs"],
    because="a preview shows what the model would be asked, and asks nothing",
)
def test_preview_shows_the_request_and_sends_nothing(ask: Ask, letta_agent: Agent) -> None:
    """A preview of a message has its text as the model would get it, and leaves no message and no run."""
    before = [one["id"] for one in letta_agent.messages()]
    body = {"messages": [{"role": "user", "content": "Only looked at."}]}

    answer = ask("POST", f"{letta_agent.path}/messages/preview-raw-payload", body)

    must(status(answer))
    must(contains(str(answer.json()), "Only looked at.", "the preview"))
    must(equal(before, [one["id"] for one in letta_agent.messages()], "messages after the preview"))
    must(equal([], _got(ask, "/v1/runs/", agent_id=letta_agent.id), "runs after the preview"))


@contract(
    "REST-MESSAGES-004", needs=["messages"], because="a prompt may be tried with an agent's model without a turn"
)
def test_generation_leaves_no_trace_in_the_history(ask: Ask, letta_agent: Agent) -> None:
    """Generating a text with the model of an agent gives a text, and the agent's history stays as it is."""
    before = [one["id"] for one in letta_agent.messages()]

    answer = ask("POST", f"{letta_agent.path}/generate", {"prompt": "Say something."})

    must(status(answer))
    must(None if answer.json().get("content") else f"the generation gave no text: {answer.text[:200]}")
    must(equal(before, [one["id"] for one in letta_agent.messages()], "messages after the generation"))
