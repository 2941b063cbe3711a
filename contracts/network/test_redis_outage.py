"""Redis goes and comes back under load: memory does not need it, and turns are made again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import status

from .load import AWAY_S, away, under_load

if TYPE_CHECKING:
    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.stack.stack import Stack

    from .conftest import Patience

#: Longer than an answer takes that does not wait for Redis, on however busy a machine.
_WAITED_S = 6.0


@pytest.mark.parametrize("how", ["paused", "killed"])
@contract(
    "NET-REDIS-001",
    needs=["core_memory", "messages", "kill", "pause"],
    because="Redis holds streams and locks, and no memory; every route of messages goes by it",
)
def test_memory_does_not_fail_when_redis_goes(
    letta_agent: Agent, make_letta_agent: AgentMaker, letta_stack: Stack, first_success: Patience, how: str
) -> None:
    """When Redis goes under load and comes back, agents are read and edited all the while; turns are made again.

    A turn that was under way is done, or ends with a clear server error.
    """
    talker = make_letta_agent()
    block = f"{letta_agent.path}/core-memory/blocks/human"

    def turn(_: int = 0) -> httpx.Response:
        return talker.try_send("Hello.")

    with (
        under_load(
            read=lambda _: letta_agent.client.get(letta_agent.path),
            edit=lambda number: letta_agent.client.patch(block, json={"value": f"Edit {number}."}),
            turn=turn,
        ) as load,
        away(letta_stack, "redis", how),
    ):
        time.sleep(AWAY_S)

    must(load.problem("read", "edit"))
    first_success(turn, "after Redis was back")


@contract(
    "NET-REDIS-002",
    level="should",
    needs=["core_memory", "pause"],
    because="a machine that swaps, or a disk that hangs, leaves Redis connected and silent: each read took 20 s",
)
def test_reads_do_not_wait_for_a_silent_redis(letta_agent: Agent, letta_stack: Stack) -> None:
    """While Redis is silent an agent is read, without waiting for Redis."""
    must(status(letta_agent.client.get(letta_agent.path)))

    with away(letta_stack, "redis", "paused"):
        try:
            answer = letta_agent.client.get(letta_agent.path, timeout=_WAITED_S)
        except httpx.TimeoutException:
            must(f"while Redis was silent an agent was not read within {_WAITED_S:.0f} s")

    must(status(answer))
