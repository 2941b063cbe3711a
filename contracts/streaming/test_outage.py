"""Outage: Redis is missing, goes and comes back; the server is killed in the middle of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from pytest_letta import contract, could_not_run, must, not_applicable
from pytest_letta.conformance.checks import equal, refused, status
from pytest_letta.errors import StreamError
from pytest_letta.llm import say
from pytest_letta.streaming import run_id_of, text_of

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.llm.control import Script
    from pytest_letta.ownership import Ledger
    from pytest_letta.stack.stack import Stack
    from pytest_letta.streaming import StreamOpener

_HELLO = {"messages": [{"role": "user", "content": "Hello."}]}
#: Who still waits after this would wait for ever.
_HANG_S = 3.0


@contextmanager
def _without_redis(stack: Stack) -> Iterator[None]:
    if "redis" not in stack.services:
        not_applicable("pytest-letta does not know the Redis of this stack: use --letta-stack local")
    stack.stop("redis")
    try:
        yield
    finally:
        stack.start("redis")


def _crash(stack: Stack) -> None:
    stack.kill("letta")
    stack.start("letta")


def _long(llm: ModelControl) -> Script:
    """Script a turn that is still under way when the server is killed."""
    return llm.script(say(" ".join(["word"] * 100), pace_s=0.1))


@contract(
    "SSE-REDIS-001",
    needs=["background", "kill"],
    because="a stack whose LETTA_REDIS_HOST is not set has no background streams, and must say why",
)
def test_background_without_redis_is_refused(letta_agent: Agent, letta_stack: Stack) -> None:
    """A server that started without Redis refuses a background stream with 503 that names Redis."""
    try:
        with _without_redis(letta_stack):
            _crash(letta_stack)
            body = {**_HELLO, "background": True}
            answer = letta_agent.client.post(f"{letta_agent.path}/messages/stream", json=body)
    finally:
        # It looks for Redis when it starts, and never again.
        _crash(letta_stack)

    must(refused(answer, 503, naming="redis"))


@contract(
    "SSE-REDIS-002",
    needs=["streaming", "kill"],
    because="Redis is optional; when it goes, all message routes answer 500 'An unknown error occurred'",
)
def test_lost_redis_is_told(letta_agent: Agent, letta_stack: Stack) -> None:
    """When Redis goes, a turn that needs none is streamed all the same, or refused with 503; never with 500."""
    with _without_redis(letta_stack):
        answer = letta_agent.client.post(f"{letta_agent.path}/messages/stream", json=_HELLO)

    must(status(answer, 200, 503))


@contract("SSE-REDIS-003", needs=["background", "kill"], because="Redis is restarted more often than Letta is")
def test_redis_that_comes_back_is_used(letta_agent: Agent, letta_stack: Stack, letta_stream: StreamOpener) -> None:
    """When Redis comes back, background streams work again without a restart of the server."""
    with _without_redis(letta_stack):
        # So that the server notices; what it says is the promise of another contract.
        letta_agent.try_send("Hello.")

    with letta_stream(letta_agent, "Hello.", tokens=True, background=True) as stream:
        must(status(stream.response, 200))
        events = stream.read_all()
    must(None if text_of(events) and events[-1].is_done else "the background stream has no answer, or no [DONE]")


@contract(
    "SSE-CRASH-001",
    needs=["conversations", "llm", "kill"],
    because="a conversation that a crash leaves locked answers 409 for five minutes to whoever asks again",
)
def test_crash_leaves_no_conversation_locked(
    letta_agent: Agent,
    letta_ledger: Ledger,
    letta_llm: ModelControl,
    letta_stack: Stack,
    letta_stream: StreamOpener,
) -> None:
    """After SIGKILL in the middle of a conversation's stream the next stream of that conversation is answered."""
    made = letta_agent.client.post("/v1/conversations/", params={"agent_id": letta_agent.id}, json={})
    if made.is_error:
        could_not_run(f"no conversation could be made: {made.status_code} {made.text[:200]}")
    conversation_id = made.json()["id"]
    letta_ledger.enter(f"/v1/conversations/{conversation_id}")
    with letta_stream.converse(conversation_id, _long(letta_llm).prompt(), tokens=True) as stream:
        must(status(stream.response))
        stream.read(2)

    _crash(letta_stack)

    script = letta_llm.script(say("Back."))
    with letta_stream.converse(conversation_id, script.prompt(), tokens=True) as stream:
        if stream.response.is_error:
            stream.response.read()
        must(status(stream.response))
        must(equal("Back.", text_of(stream.read_all()), "answer after SIGKILL"))


@contract(
    "SSE-CRASH-002",
    needs=["background", "resume", "llm", "kill"],
    because="a phone that comes back to a run whose server died waits for ever, kept alive by pings",
)
def test_resume_of_a_run_that_died_ends(
    letta_agent: Agent, letta_llm: ModelControl, letta_stack: Stack, letta_stream: StreamOpener
) -> None:
    """After SIGKILL in the middle of a background run its resume ends, or is refused; it does not wait for ever."""
    with letta_stream(letta_agent, _long(letta_llm).prompt(), tokens=True, background=True) as stream:
        must(status(stream.response))
        run_id = run_id_of(stream.read(2))

    _crash(letta_stack)

    try:
        with letta_stream.resume(run_id, 0, deadline_s=_HANG_S) as stream:
            must(status(stream.response, 200, 400, 404, 409, 410))
            stream.read_all()
    except (StreamError, httpx.TimeoutException) as error:
        must(f"the resume of a run whose server died does not end: {error}")
