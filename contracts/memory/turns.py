"""Turns under way: something is done while the model of an agent still thinks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_letta import could_not_run

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.llm.reply import Reply

_DEADLINE_S = 30.0


@contextmanager
def under_way(llm: ModelControl, agent: Agent, *replies: Reply) -> Iterator[Future[httpx.Response]]:
    """Begin a turn of the agent, come in once its model was asked, and wait for its end on the way out.

    The first reply must be held back long enough for what is to be done meanwhile.
    """
    script = llm.script(*replies)
    message = {"role": "user", "content": script.prompt("Go on.")}
    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(agent.client.post, f"{agent.path}/messages", json={"messages": [message]})
        deadline = time.monotonic() + _DEADLINE_S
        while not llm.requests(script):
            if turn.done() or time.monotonic() > deadline:
                could_not_run(f"the turn of {agent.id} did not reach the model within {_DEADLINE_S:.0f} s")
            time.sleep(0.01)
        yield turn
