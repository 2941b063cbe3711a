"""Pings: streams are kept alive while the model is silent."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.conformance.checks import status
from pytest_letta.llm import say
from pytest_letta.telling import answered

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.streaming import StreamOpener, TurnStream

#: Longer than the 20 s between the pings of Letta (LETTA_KEEPALIVE_INTERVAL), shorter than the 60 s of nginx. After
#: the first ping nobody waits: a server with a shorter interval is judged in that time.
_SILENCE_S = 28.0
_DEADLINE_S = 60.0
#: A ping that comes with the beginning keeps nothing alive.
_BEGINNING_S = 0.8
_FOUND_S = 10.0


@contract(
    "SSE-PING-002",
    level="should",
    needs=["streaming", "background", "resume", "runs", "llm"],
    because="nginx gives up after 60 s of silence, phones sooner, and a model may think for minutes",
)
def test_silent_stream_is_kept_alive(
    letta_agent: Agent, make_letta_agent: AgentMaker, letta_llm: ModelControl, letta_stream: StreamOpener
) -> None:
    """While the model is silent for 28 s a stream, one in the background and its resume hold pings or comments."""
    prompt = letta_llm.script(say("At last.", hold_s=_SILENCE_S)).prompt()
    other = make_letta_agent()

    with ThreadPoolExecutor(2) as pool:
        # Its head may come with its first event only, which may be the ping that is waited for.
        began = pool.submit(_problem_of, letta_stream(letta_agent, prompt, tokens=True, background=True))
        foreground = pool.submit(_problem_of, letta_stream(other, prompt, tokens=True))
        resume = letta_stream.resume(_run_of(letta_agent), 0, deadline_s=_DEADLINE_S, include_pings=True)
        again = _problem_of(resume)

    must(began.result() and f"the background stream {began.result()}")
    must(again and f"the resume of the background stream {again}")
    must(foreground.result() and f"the foreground stream {foreground.result()}")


def _run_of(agent: Agent) -> str:
    """Return the id of the one run of the agent; its stream may be silent as yet."""
    deadline = time.monotonic() + _FOUND_S
    while True:
        answer = agent.client.get("/v1/runs/", params={"agent_id": agent.id})
        must(status(answer))
        if answer.json():
            return str(answer.json()[0]["id"])
        must(None if time.monotonic() < deadline else f"a stream runs, and {answered(answer)}")
        time.sleep(0.05)


def _problem_of(opening: AbstractContextManager[TurnStream]) -> str | None:
    """Read until a sign of life comes, and say that the model spoke first if it did; the run goes on."""
    begun = time.monotonic() + _BEGINNING_S
    with opening as stream:
        must(status(stream.response))
        for event in stream:
            kind = None if event.is_done else event.json().get("message_type")
            if kind == "ping" and event.at > begun:
                return None
            if kind == "assistant_message":
                break
    is_alive = any(comment.at > begun for comment in stream.comments)
    return None if is_alive else "held neither ping nor comment before the model spoke"
