"""Cancel: a stream that is cancelled says so, ends, and leaves the agent usable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, status
from pytest_letta.llm import say
from pytest_letta.streaming import payloads, run_id_of, text_of, wait_for_run

from .modes import FOREGROUND_OR_BACKGROUND

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.sse import Event
    from pytest_letta.streaming import StreamOpener

_NEEDS = ["streaming", "cancel", "llm"]
#: A cancel shows within half a second; the model would speak for four.
_TEXT = " ".join(f"word{number}" for number in range(40))
_PACE_S = 0.1


def _cancelled(agent: Agent, llm: ModelControl, opener: StreamOpener, way: dict[str, Any]) -> list[Event]:
    """Cancel a turn while the model speaks, and return all events of its stream."""
    script = llm.script(say(_TEXT, pace_s=_PACE_S))
    with opener(agent, script.prompt(), tokens=True, **way) as stream:
        stream.read(3)
        must(status(agent.client.post(f"{agent.path}/messages/cancel", json={})))
        return stream.read_all()


@FOREGROUND_OR_BACKGROUND
@contract("SSE-CANCEL-001", needs=_NEEDS, because="a stop button that does nothing goes on costing money")
def test_cancelled_stream_says_so(
    letta_agent: Agent, letta_llm: ModelControl, opener: StreamOpener, way: dict[str, Any]
) -> None:
    """A stream that is cancelled stops before the model has ended, with the one stop reason cancelled."""
    events = _cancelled(letta_agent, letta_llm, opener, way)

    reasons = [one.get("stop_reason") for one in payloads(events, "stop_reason")]
    must(equal(["cancelled"], reasons, "stop reasons of the cancelled stream"))
    text = text_of(events)
    is_part = _TEXT.startswith(text) and text != _TEXT
    must(None if is_part else f"the cancelled stream does not hold a first part of what the model said: {text!r}")


@FOREGROUND_OR_BACKGROUND
@contract("SSE-CANCEL-002", needs=_NEEDS, because="a client that waits for [DONE] hangs after its own stop button")
def test_cancelled_stream_ends_once(
    letta_agent: Agent, letta_llm: ModelControl, letta_stream: StreamOpener, way: dict[str, Any]
) -> None:
    """A stream that is cancelled ends with [DONE], last and once."""
    events = _cancelled(letta_agent, letta_llm, letta_stream, way)

    must(equal(1, sum(event.is_done for event in events), "number of [DONE] after a cancel"))
    must(None if events[-1].is_done else "[DONE] does not come last after a cancel")


@contract(
    "SSE-CANCEL-003",
    needs=[*_NEEDS, "runs"],
    because="after a cancel people ask again; an agent that is still busy is stuck",
)
def test_agent_answers_after_a_cancel(
    letta_agent: Agent, letta_llm: ModelControl, letta_stream: StreamOpener
) -> None:
    """The run of a stream that is cancelled ends as cancelled, and the next turn is answered."""
    events = _cancelled(letta_agent, letta_llm, letta_stream, {})

    run = wait_for_run(letta_agent.client, run_id_of(events))
    must(equal("cancelled", run["status"], "state of the run after the cancel"))
    with letta_stream(letta_agent, letta_llm.script(say("Back.")).prompt(), tokens=True) as stream:
        must(equal("Back.", text_of(stream.read_all()), "answer after the cancel"))
