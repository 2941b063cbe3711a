"""Failures: a model that fails ends a stream honestly and harms nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal
from pytest_letta.llm import cut, fail, malformed, say
from pytest_letta.streaming import payloads, text_of

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.llm.reply import Reply
    from pytest_letta.sse import Event
    from pytest_letta.streaming import StreamOpener

#: Bad requests are not tried again, so the turn ends at once; 500 and 429 are tried three times.
_FAILURES = {
    "refused": fail(400, "pytest-letta: the model refuses"),
    "overloaded": fail(429, "pytest-letta: the model is overloaded"),
    "broken": fail(500, "pytest-letta: the model is broken"),
    "malformed": malformed(),
    "cut": cut("one two three four", after_tokens=2),
}
_EACH = pytest.mark.parametrize("failure", _FAILURES)
#: By way of the proxy only those that are not tried again.
_EACH_ROUTE = pytest.mark.parametrize(
    ("failure", "route"),
    [
        *(pytest.param(failure, "direct", id=failure) for failure in _FAILURES),
        *(pytest.param(failure, "proxied", id=f"proxied-{failure}") for failure in ("refused", "malformed", "cut")),
    ],
    indirect=["route"],
)


def _failed_turn(
    agent: Agent, llm: ModelControl, opener: StreamOpener, reply: Reply, *, background: bool = False
) -> list[Event]:
    script = llm.script(reply)
    with opener(agent, script.prompt(), tokens=True, background=background) as stream:
        return stream.read_all()


@_EACH_ROUTE
@contract("SSE-FAIL-001", needs=["streaming", "llm"], because="half an answer that looks whole is taken for whole")
def test_failing_model_ends_in_an_error(
    letta_agent: Agent, letta_llm: ModelControl, opener: StreamOpener, failure: str
) -> None:
    """When the model fails the stream holds an error message and does not stop with end_turn."""
    events = _failed_turn(letta_agent, letta_llm, opener, _FAILURES[failure])

    errors = payloads(events, "error_message")
    reasons = [one.get("stop_reason") for one in payloads(events, "stop_reason")]
    seen = f"stop reasons {reasons}, {len(errors)} error messages"
    must(f"the model failed, and the stream ends as if it had not: {seen}" if not errors else None)
    must(f"the stream of a failed turn stops with end_turn: {seen}" if "end_turn" in reasons else None)


@_EACH
@contract(
    "SSE-FAIL-002",
    needs=["streaming", "llm"],
    because="a client that waits for [DONE] hangs after an error: letta-ai/letta commit 30dab0abb",
)
def test_failed_stream_ends_once(
    letta_agent: Agent, letta_llm: ModelControl, letta_stream: StreamOpener, failure: str
) -> None:
    """A stream whose model fails has one stop reason, and [DONE] last and once."""
    events = _failed_turn(letta_agent, letta_llm, letta_stream, _FAILURES[failure])

    must(equal(1, len(payloads(events, "stop_reason")), "number of stop reasons after a failure"))
    must(equal(1, sum(event.is_done for event in events), "number of [DONE] after a failure"))
    must(None if events[-1].is_done else "[DONE] does not come last after a failure")


@contract(
    "SSE-FAIL-003",
    needs=["streaming", "background", "llm"],
    because="who resumes a failed run must learn that it is over",
)
def test_failed_background_stream_ends_once(
    letta_agent: Agent, letta_llm: ModelControl, letta_stream: StreamOpener
) -> None:
    """A background stream whose model fails holds an error message, and [DONE] last and once."""
    events = _failed_turn(letta_agent, letta_llm, letta_stream, _FAILURES["refused"], background=True)

    must(None if payloads(events, "error_message") else "the failed background stream holds no error message")
    must(equal(1, sum(event.is_done for event in events), "number of [DONE] after a failure"))


@_EACH
@contract(
    "SSE-FAIL-004", needs=["streaming", "llm"], because="an agent that a failed turn leaves stuck is lost to its user"
)
def test_next_turn_works_after_a_failure(
    letta_agent: Agent, letta_llm: ModelControl, letta_stream: StreamOpener, failure: str
) -> None:
    """After a turn whose model failed the next one is answered."""
    _failed_turn(letta_agent, letta_llm, letta_stream, _FAILURES[failure])
    script = letta_llm.script(say("All is well again."))

    with letta_stream(letta_agent, script.prompt(), tokens=True) as stream:
        events = stream.read_all()

    must(equal("All is well again.", text_of(events), "answer after a failed turn"))


@contract(
    "SSE-FAIL-005",
    needs=["streaming", "llm"],
    because="a gateway whose own upstream broke ends its body properly; only the finish reason is missing",
)
def test_answer_without_its_finish_is_no_whole_answer(
    letta_agent: Agent, letta_llm: ModelControl, letta_stream: StreamOpener
) -> None:
    """An answer of the model that ends before its finish reason is not passed off as a whole one, with end_turn."""
    broken_off = cut("one two three four", after_tokens=2, is_clean=True)

    events = _failed_turn(letta_agent, letta_llm, letta_stream, broken_off)

    reasons = [one.get("stop_reason") for one in payloads(events, "stop_reason")]
    must(
        f"the model broke off after {text_of(events)!r}, and the stream stops with end_turn"
        if "end_turn" in reasons
        else None
    )
