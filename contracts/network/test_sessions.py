"""The server's sessions at its database: none is held for a client that left, or while the model thinks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import httpx

from pytest_letta import contract, could_not_run, must
from pytest_letta.conformance.checks import status
from pytest_letta.llm import silent

from .load import away
from .sessions import Sessions

if TYPE_CHECKING:
    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.llm.control import Script
    from pytest_letta.stack.stack import Stack
    from pytest_letta.streaming import StreamOpener

    from .conftest import Patience

_IMPATIENT = 12
_PATIENCE_S = 0.3
_BURSTS = 2
#: Five turns, each with more than one connection at a time.
_KEPT = 15
_ARRIVAL_LIMIT_S = 20.0
_POLL_S = 0.05


@contract(
    "NET-SESSION-001",
    needs=["blocks", "core_memory", "pause", "query"],
    because="connections that are not given back when a client leaves are missing to all others: the pool runs dry",
)
def test_clients_that_give_up_leave_no_session(
    letta_agent: Agent, letta_client: httpx.Client, letta_stack: Stack, first_success: Patience
) -> None:
    """When clients leave while the database is silent, none of the server's sessions is stuck or lost for that."""
    path = f"/v1/blocks/{letta_agent.block('human')['id']}"
    sessions = Sessions(letta_stack)
    _burst(letta_client, path, letta_stack)
    must(sessions.problem(2 * _IMPATIENT))

    for _ in range(_BURSTS):
        _burst(letta_client, path, letta_stack)

    # As much as one burst needs the pool has by now.
    must(sessions.problem(_IMPATIENT))
    first_success(lambda: letta_client.patch(path, json={"value": "Patient."}), "after clients had given up")


@contract(
    "NET-SESSION-002",
    needs=["streaming", "llm", "kill", "query"],
    because="a connection that is held while the model thinks is missing to others: letta-ai/letta commit 15cede728",
)
def test_turns_hold_no_session_while_the_model_is_silent(
    make_letta_agent: AgentMaker,
    letta_llm: ModelControl,
    letta_stack: Stack,
    letta_stream: StreamOpener,
    first_success: Patience,
) -> None:
    """While turns wait for a silent model, none of them holds a transaction, and agents are read.

    Nor do turns whose clients have left by then, or those that broke off with the model.
    """
    waiting = [make_letta_agent() for _ in range(3)]
    left = [make_letta_agent() for _ in range(2)]
    sessions = Sessions(letta_stack)

    with _waiting_turns(letta_llm, letta_stack, letta_stream, waiting):
        for agent, route in zip(left, ("messages", "messages/stream"), strict=True):
            _leaves(agent, route, letta_llm.script(silent()).prompt())
        stuck = sessions.problem(_KEPT)
        read = waiting[0].client.get(waiting[0].path)

    must(stuck)
    must(status(read))
    first_success(lambda: waiting[0].try_send("Hello."), "after the model was back")
    must(sessions.problem(_KEPT))


@contextmanager
def _waiting_turns(
    llm: ModelControl, stack: Stack, open_stream: StreamOpener, agents: Sequence[Agent]
) -> Iterator[None]:
    """Have three turns, each of its own mode, wait for a silent model; they end with it on the way out."""
    script = llm.script(silent())
    with ThreadPoolExecutor(len(agents)) as pool:
        try:
            pool.submit(agents[0].try_send, script.prompt())
            pool.submit(_stream, open_stream, agents[1], script.prompt(), tokens=False)
            pool.submit(_stream, open_stream, agents[2], script.prompt(), tokens=True)
            _wait_until_asked(llm, script, len(agents))
            yield
        finally:
            # Nothing else ends them.
            with away(stack, "llm", "killed"):
                pass


def _burst(client: httpx.Client, path: str, stack: Stack) -> None:
    """Have clients ask, all at once, while the database is silent, and give up."""
    with away(stack, "postgres", "paused"), ThreadPoolExecutor(_IMPATIENT) as pool:
        left = list(pool.map(lambda number: _gives_up(client, path, number), range(_IMPATIENT)))
    if not any(left):
        could_not_run("all requests were answered without the database")


def _gives_up(client: httpx.Client, path: str, number: int) -> bool:
    """Read the block, or edit it, and tell whether that took longer than one was ready to wait."""
    try:
        if number % 4:
            client.get(path, timeout=_PATIENCE_S)
        else:
            client.patch(path, json={"value": f"Edit {number}."}, timeout=_PATIENCE_S)
    except httpx.TimeoutException:
        return True
    return False


def _leaves(agent: Agent, route: str, text: str) -> None:
    body = {"messages": [{"role": "user", "content": text}]}
    with suppress(httpx.TimeoutException):
        agent.client.post(f"{agent.path}/{route}", json=body, timeout=2 * _PATIENCE_S)


def _stream(open_stream: StreamOpener, agent: Agent, text: str, *, tokens: bool) -> None:
    with open_stream(agent, text, tokens=tokens) as stream:
        stream.read_all()


def _wait_until_asked(llm: ModelControl, script: Script, turns: int) -> None:
    deadline = time.monotonic() + _ARRIVAL_LIMIT_S
    while (asked := len(llm.requests(script))) < turns:
        late = f"the model was asked by {asked} of {turns} turns in {_ARRIVAL_LIMIT_S:.0f} s"
        must(late if time.monotonic() > deadline else None)
        time.sleep(_POLL_S)
