"""Turns under way: something happens while the model of an agent still thinks, and what stays open afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_letta import must
from pytest_letta.conformance.checks import status
from pytest_letta.streaming import OPEN

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.llm.control import Script
    from pytest_letta.llm.reply import Reply

TEXT = "Take your time."
_ARRIVAL_LIMIT_S = 15.0
_POLL_S = 0.02
_OPEN_POLL_S = 0.2


class Turn(NamedTuple):
    """A message that an agent got, and the answer to come."""

    script: Script
    answer: Future[httpx.Response]


@contextmanager
def under_way(llm: ModelControl, agent: Agent, *replies: Reply, asked: int = 1) -> Iterator[Turn]:
    """Begin a turn of the agent, come in once its model was `asked` so often, and wait for its end on the way out.

    The reply that is asked for last must be held back long enough for what is to be done meanwhile.
    """
    script = llm.script(*replies)
    with ThreadPoolExecutor(1) as pool:
        turn = Turn(script, pool.submit(agent.try_send, script.prompt(TEXT)))
        wait_until_asked(llm, script, turn.answer, asked)
        yield turn


def wait_until_asked(llm: ModelControl, script: Script, turn: Future[Any], times: int) -> None:
    """Return when the model was asked so often; the contract fails when the turn ends before that, or after 15 s."""
    deadline = time.monotonic() + _ARRIVAL_LIMIT_S
    while (asked := len(llm.requests(script))) < times:
        if turn.done() and (answer := turn.result()) is not None:
            must(status(answer) or f"the turn ended when the model had been asked {asked} times, not {times} times")
        late = f"the model was asked {asked} times in {_ARRIVAL_LIMIT_S:.0f} s, not {times} times"
        must(late if time.monotonic() > deadline else None)
        time.sleep(_POLL_S)


def open_runs(client: httpx.Client, agent_id: str, limit_s: float) -> str | None:
    """Return which runs of an agent without a turn under way are still open after `limit_s` seconds, or ``None``."""
    deadline = time.monotonic() + limit_s
    while True:
        answer = client.get("/v1/runs/", params={"agent_id": agent_id, "limit": 50})
        must(status(answer))
        still = [f"{run['id']} is still {run['status']}" for run in answer.json() if run["status"] in OPEN]
        if not still:
            return None
        if time.monotonic() > deadline:
            return f"{', '.join(still)} after {limit_s:.0f} s, though no turn is under way"
        time.sleep(_OPEN_POLL_S)
