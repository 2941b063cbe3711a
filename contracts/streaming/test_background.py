"""Background: a stream that outlives its connection, numbered and resumable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, same_sequence, status
from pytest_letta.errors import StreamError
from pytest_letta.llm import say
from pytest_letta.streaming import lasting, payloads, run_id_of, text_of, wait_for_run

from .events import answers_in, data_of

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.sse import Event
    from pytest_letta.streaming import StreamOpener

_NEEDS = ["streaming", "background"]
_PACE_S = 0.15
_TOKENS = [f"word{number} " for number in range(10)]
#: A replay of a finished run takes milliseconds; who still waits after this would wait for ever.
_PAST_THE_END_S = 3.0


def _whole(agent: Agent, opener: StreamOpener, text: str = "Hello.") -> list[Event]:
    with opener(agent, text, tokens=True, background=True) as stream:
        must(status(stream.response, 200))
        return lasting(stream.read_all())


def _numbers(events: list[Event]) -> list[int]:
    return [one["seq_id"] for one in payloads(events) if one.get("seq_id") is not None]


@contract(
    "SSE-BACK-001", needs=_NEEDS, because="clients resume by these numbers; a gap or repeat loses or doubles text"
)
def test_events_are_numbered_without_a_gap(letta_agent: Agent, opener: StreamOpener) -> None:
    """The events of a background stream that carry a seq_id are numbered from 1 on, one by one."""
    numbers = _numbers(_whole(letta_agent, opener))

    must(None if numbers else "no event carries a seq_id")
    must(equal(list(range(1, len(numbers) + 1)), numbers, "seq_ids of the stream"))


@contract("SSE-BACK-002", needs=_NEEDS, because="without the run's id a client cannot resume or cancel")
def test_events_carry_one_run_id(letta_agent: Agent, opener: StreamOpener) -> None:
    """Every numbered event of a background stream carries the id of the one run."""
    numbered = [one for one in payloads(_whole(letta_agent, opener)) if one.get("seq_id") is not None]

    runs = {str(one.get("run_id")) for one in numbered}
    must(equal(1, len(runs), "number of run ids in the stream"))
    must(status(letta_agent.client.get(f"/v1/runs/{runs.pop()}")))


@contract("SSE-BACK-003", needs=_NEEDS, because="a stream without its end leaves clients waiting")
def test_background_stream_ends_in_order(letta_agent: Agent, opener: StreamOpener) -> None:
    """A background stream ends with the stop reason, the usage and [DONE], and holds the stored answer."""
    events = _whole(letta_agent, opener)

    closing = [one.get("message_type") for one in payloads(events) if one.get("message_type") != "ping"][-2:]
    must(equal(["stop_reason", "usage_statistics"], closing, "last messages before [DONE]"))
    must(equal(1, sum(event.is_done for event in events), "number of [DONE]"))
    must(None if events[-1].is_done else "[DONE] does not come last")
    must(equal(answers_in(letta_agent.messages()), [text_of(events)], "answers stored against the stream"))


@contract(
    "SSE-BACK-004",
    needs=[*_NEEDS, "llm", "runs"],
    because="that is what background is for: a phone that loses its network",
)
def test_run_goes_on_without_its_client(
    letta_agent: Agent, letta_llm: ModelControl, letta_stream: StreamOpener
) -> None:
    """When the client leaves, the run goes on to its end and the answer is stored."""
    script = letta_llm.script(say("".join(_TOKENS), tokens=_TOKENS, pace_s=_PACE_S))
    with letta_stream(letta_agent, script.prompt(), tokens=True, background=True) as stream:
        run_id = run_id_of(stream.read(2))

    run = wait_for_run(letta_agent.client, run_id)

    must(equal("completed", run["status"], "state of the run after its client left"))
    must(equal(["".join(_TOKENS)], answers_in(letta_agent.messages()), "answers stored"))


@contract(
    "SSE-RESUME-001",
    needs=[*_NEEDS, "resume"],
    because="a resumed stream with a gap or a repeat corrupts what is shown",
)
def test_resume_gives_exactly_the_rest(letta_agent: Agent, opener: StreamOpener) -> None:
    """For every event k, a resume after k gives exactly the events after k, as they were."""
    events = _whole(letta_agent, opener, "Tell me of the sea.")
    run_id = run_id_of(events)

    for cut in range(len(events)):
        with opener.resume(run_id, cut) as stream:
            must(status(stream.response, 200))
            rest = data_of(stream.read_all())
        must(same_sequence(data_of(events[cut:]), rest, f"resume after event {cut} of {len(events)}"))


@contract(
    "SSE-RESUME-002", needs=[*_NEEDS, "resume", "llm"], because="connections break in the middle, not at the end"
)
def test_resume_of_a_running_turn_has_no_gap(
    letta_agent: Agent, letta_llm: ModelControl, opener: StreamOpener
) -> None:
    """A connection that breaks in the middle of a turn, and a resume while it goes on, give the whole text once."""
    script = letta_llm.script(say("".join(_TOKENS), tokens=_TOKENS, pace_s=_PACE_S))
    with opener(letta_agent, script.prompt(), tokens=True, background=True) as stream:
        before = stream.read(4)

    with opener.resume(run_id_of(before), _numbers(before)[-1]) as stream:
        after = stream.read_all()

    must(equal("".join(_TOKENS), text_of([*before, *after]), "text before and after the break"))
    must(None if after[-1].is_done else "the resumed stream ended without [DONE]")


@contract(
    "SSE-RESUME-003",
    needs=[*_NEEDS, "resume"],
    because="a client that asks again after the end must not hang: it did for ever",
)
def test_resume_past_the_end_ends(letta_agent: Agent, letta_stream: StreamOpener) -> None:
    """A resume after the last event of a finished run ends, or is refused; it does not wait for ever."""
    events = _whole(letta_agent, letta_stream)

    try:
        with letta_stream.resume(run_id_of(events), len(events) + 1, deadline_s=_PAST_THE_END_S) as stream:
            must(status(stream.response, 200, 400, 404, 409, 410))
            stream.read_all()
    except (StreamError, httpx.TimeoutException) as error:
        must(f"the resume of a finished run past its end does not end: {error}")
