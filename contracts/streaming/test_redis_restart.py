"""Redis restarted or away: what it kept of background streams is there again, or its loss is told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import same_sequence, status
from pytest_letta.errors import StreamError
from pytest_letta.llm import say
from pytest_letta.streaming import payloads, run_id_of, text_of, wait_for_run

from .events import data_of

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.stack.stack import Stack
    from pytest_letta.streaming import StreamOpener, TurnStream

_NEEDS = ["streaming", "background", "resume", "runs", "llm", "kill"]
_TOKENS = [f"word{number} " for number in range(4)]
_LONG = [f"word{number} " for number in range(15)]
_PACE_S = 0.1
_AWAY_S = 1.0
#: A replay of a finished run takes milliseconds; who still waits after this would wait for ever.
_HANG_S = 3.0


def _need_redis(stack: Stack) -> None:
    if "redis" not in stack.services:
        not_applicable("pytest-letta does not know the Redis of this stack: use --letta-stack local")


def _restart_redis(stack: Stack, end: str) -> None:
    _need_redis(stack)
    if end == "killed":
        stack.kill("redis")
        stack.start("redis")
    else:
        stack.restart("redis")


@pytest.mark.parametrize("end", ["in-order", "killed"])
@contract(
    "SSE-REDIS-004",
    needs=_NEEDS,
    because="what Redis held is gone after a crash of it; a client that is not told waits for ever",
)
def test_resume_after_a_restart_of_redis_is_honest(
    letta_agent: Agent, letta_llm: ModelControl, letta_stack: Stack, letta_stream: StreamOpener, end: str
) -> None:
    """After a restart of Redis a resume of a finished run gives exactly the rest, or an error; never silence."""
    script = letta_llm.script(say("".join(_TOKENS), tokens=_TOKENS))
    with letta_stream(letta_agent, script.prompt(), tokens=True, background=True) as stream:
        must(status(stream.response))
        events = stream.read_all()
    # What the server does with the stream after its end is then done, too.
    wait_for_run(letta_agent.client, run_id_of(events))

    _restart_redis(letta_stack, end)

    try:
        with letta_stream.resume(run_id_of(events), 2, deadline_s=_HANG_S) as stream:
            must(_problem_of(stream, data_of(events[2:])))
    except (StreamError, httpx.TimeoutException) as error:
        must(f"the resume of a finished run does not end after Redis was restarted: {error}")


def _problem_of(stream: TurnStream, wanted: list[str]) -> str | None:
    """Say what is neither the rest, nor a refusal (503: no Redis, 4xx: the run is no more), nor an error."""
    if stream.response.is_error:
        stream.response.read()
        return status(stream.response, 400, 404, 409, 410, 503)
    events = stream.read_all()
    if payloads(events, "error_message"):
        return None
    return same_sequence(wanted, data_of(events), "resume after event 2 after Redis was restarted")


@contract(
    "SSE-REDIS-005",
    needs=_NEEDS,
    because="half an answer that ends without a word is taken for a whole one",
)
def test_stream_over_an_outage_of_redis_is_honest(
    letta_agent: Agent, letta_llm: ModelControl, letta_stack: Stack, letta_stream: StreamOpener
) -> None:
    """When Redis is away in the midst of a background stream, that goes on whole, or ends in an error."""
    _need_redis(letta_stack)
    script = letta_llm.script(say("".join(_LONG), tokens=_LONG, pace_s=_PACE_S))
    try:
        with letta_stream(letta_agent, script.prompt(), tokens=True, background=True) as stream:
            must(status(stream.response))
            stream.read(3)
            letta_stack.stop("redis")
            # So long that whoever reads from it notices.
            time.sleep(_AWAY_S)
            letta_stack.start("redis")
            events = stream.read_all()
    except (httpx.RemoteProtocolError, httpx.ReadError):
        # A connection that breaks is an error to every client.
        return

    is_whole = text_of(events) == "".join(_LONG) and events[-1].is_done
    seen = f"{text_of(events)!r}, {'with' if events[-1].is_done else 'without'} [DONE]"
    is_told = is_whole or payloads(events, "error_message")
    must(None if is_told else f"the stream ended after {seen}, without an error, when Redis was away")
