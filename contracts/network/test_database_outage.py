"""The database goes and comes back under load: every request ends, and afterwards all is as before."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import status

from .load import AWAY_S, away, under_load
from .sessions import Sessions

if TYPE_CHECKING:
    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.stack.stack import Stack

    from .conftest import Patience
    from .load import Ask

#: A turn takes more than one connection at a time.
_KEPT = 12
#: More edits than any load makes.
_MOST = 10_000


def _asks(agent: Agent, talker: Agent) -> dict[str, Ask]:
    """Return reads and edits of one agent and turns of another."""
    block = f"{agent.path}/core-memory/blocks"
    return {
        "read": lambda _: agent.client.get(agent.path),
        "list": lambda _: agent.client.get(block),
        "edit": lambda number: agent.client.patch(f"{block}/human", json={"value": _edit(number)}),
        "turn": lambda _: talker.try_send("Hello."),
    }


def _edit(number: int) -> str:
    return f"Edit {number}."


@pytest.mark.parametrize("how", ["paused", "killed"])
@contract(
    "NET-DATABASE-001",
    needs=["core_memory", "messages", "kill", "pause"],
    because="a client can try again after an error; one that hangs, or is told 404, loses its agent",
)
def test_requests_end_clearly_when_the_database_goes(
    letta_agent: Agent, make_letta_agent: AgentMaker, letta_stack: Stack, how: str
) -> None:
    """When the database goes under load and comes back, each request ends with success or a clear server error.

    Health is answered while it is away, by whatever it says.
    """
    with under_load(**_asks(letta_agent, make_letta_agent())) as load, away(letta_stack, "postgres", how):
        time.sleep(AWAY_S)
        health = letta_agent.client.get("/v1/health/")

    must(status(health, 200, 503))
    must(load.problem())


@contract(
    "NET-DATABASE-002",
    needs=["core_memory", "messages", "kill", "query"],
    because="a server that must be restarted after each restart of its database is down at night",
)
def test_all_is_as_before_when_the_database_is_back(
    letta_agent: Agent, make_letta_agent: AgentMaker, letta_stack: Stack, first_success: Patience
) -> None:
    """After the database was killed under load and is back, all works again, and no acknowledged edit is lost.

    None of the server's sessions is stuck, nor are there more of them than before.
    """
    asks = _asks(letta_agent, make_letta_agent())
    letta_agent.edit_block("human", _edit(0))
    sessions = Sessions(letta_stack)

    with under_load(**asks) as load, away(letta_stack, "postgres", "killed"):
        time.sleep(AWAY_S)

    stored = letta_agent.block("human")["value"]
    acknowledged = max((number for number, answer in load.answers["edit"].items() if answer.is_success), default=0)
    # A later one, of which nobody was told, may be done or not.
    possible = [_edit(number) for number in range(acknowledged, _MOST)]
    must(None if stored in possible else f"edit {acknowledged} was acknowledged, the block is {stored!r}")
    for kind, ask in asks.items():
        first_success(lambda ask=ask: ask(0), f"after the database was back ({kind})")  # type: ignore[misc]
    must(sessions.problem(_KEPT))
