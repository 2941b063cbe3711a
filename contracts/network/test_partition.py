"""Partition: while a part is cut off nobody is lied to, and afterwards all is well without a restart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import equal, status
from pytest_letta.telling import answered

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.stack.stack import Stack
    from pytest_letta.streaming import StreamOpener

    from .conftest import Patience

_FACT = "Moved to Lisbon in spring."
#: Longer than nginx waits for a connection unless told, which is 60 s.
_PROXY_LIMIT_S = 75.0


@contract(
    "NET-PARTITION-001",
    needs=["core_memory", "messages", "partition"],
    because="a client that is told 'not found', or given an empty list, makes its agent anew",
)
def test_no_read_lies_while_the_database_is_cut_off(letta_agent: Agent, letta_stack: Stack) -> None:
    """While the database is cut off, reads are answered with server errors or not at all: not with success or 404."""
    paths = {
        "the agent": letta_agent.path,
        "agents of its name": f"/v1/agents/?name={letta_agent.state['name']}",
        "its blocks": f"{letta_agent.path}/core-memory/blocks",
        "its history": f"{letta_agent.path}/messages?limit=10",
    }

    with _cut_off(letta_stack, "postgres"):
        seen = {what: _answer(letta_agent, path) for what, path in paths.items()}

    lies = [f"{what}: {answered(got)}" for what, got in seen.items() if got is not None and got.status_code < 500]
    must(f"with the database cut off, {'; '.join(lies)}" if lies else None)


@contract(
    "NET-PARTITION-002",
    needs=["core_memory", "messages", "partition"],
    because="a server that must be restarted after each hiccup of its network is down at night",
)
def test_server_finds_the_database_again(letta_agent: Agent, letta_stack: Stack, first_success: Patience) -> None:
    """Once the database is back, blocks are read and turns are made as before, without a restart of the server."""
    letta_agent.edit_block("human", _FACT)

    with _cut_off(letta_stack, "postgres"):
        _answer(letta_agent, letta_agent.path)

    block = f"{letta_agent.path}/core-memory/blocks/human"
    back = first_success(lambda: letta_agent.client.get(block), "after the database was back")
    must(equal(_FACT, back.json()["value"], "block after the database was back"))
    must(status(letta_agent.try_send("Hello.")))


@contract(
    "NET-PARTITION-003",
    needs=["streaming", "background", "partition"],
    because="every route of messages goes by Redis: while it is not found, all of them answer 500",
)
def test_server_finds_redis_again(
    letta_agent: Agent, letta_stream: StreamOpener, letta_stack: Stack, first_success: Patience
) -> None:
    """Once Redis is back, the server makes turns and background streams as before, without a restart."""
    with _cut_off(letta_stack, "redis"):
        letta_agent.try_send("Hello.")

    first_success(lambda: letta_agent.try_send("Hello."), "after Redis was back")
    with letta_stream(letta_agent, "Hello.", tokens=True, background=True) as stream:
        must(status(stream.response))
        must(None if stream.read_all()[-1].is_done else "the background stream ended without [DONE]")


@contract(
    "NET-PARTITION-004", needs=["core_memory", "partition"], because="Redis holds streams and locks, and no memory"
)
def test_memory_is_there_while_redis_is_cut_off(letta_agent: Agent, letta_stack: Stack) -> None:
    """While Redis is cut off, agents and blocks are read, and blocks are edited."""
    with _cut_off(letta_stack, "redis"):
        must(status(letta_agent.client.get(letta_agent.path)))
        must(equal(_FACT, letta_agent.edit_block("human", _FACT)["value"], "answer to an edit without Redis"))
        must(equal(_FACT, letta_agent.block("human")["value"], "edited block without Redis"))


@contract(
    "NET-PARTITION-005",
    level="should",
    needs=["messages", "partition"],
    because="503 is what a client may try again (RFC 9110, 15.6.4); a 500 is taken for a bug",
)
def test_turn_without_redis_is_done_or_put_off(letta_agent: Agent, letta_stack: Stack) -> None:
    """While Redis is cut off, a turn is done all the same, or refused with 503."""
    with _cut_off(letta_stack, "redis"):
        answer = letta_agent.try_send("Hello.")

    must(status(answer, 200, 503))


@contract(
    "NET-PARTITION-006",
    needs=["agents", "proxy", "partition"],
    because="a cache, or a page of maintenance with status 200, hides that the server is away",
)
def test_proxy_tells_that_the_server_is_cut_off(
    letta_agent: Agent, letta_proxy_client: httpx.Client, letta_stack: Stack, first_success: Patience
) -> None:
    """While the server is cut off the proxy answers 502, 503 or 504, and once it is back leads to it again."""
    must(status(letta_proxy_client.get(letta_agent.path)))

    with _cut_off(letta_stack, "letta"):
        away = letta_proxy_client.get(letta_agent.path, timeout=_PROXY_LIMIT_S)

    must(status(away, 502, 503, 504))
    back = first_success(lambda: letta_proxy_client.get(letta_agent.path), "after the server was back, by the proxy")
    must(equal(letta_agent.id, back.json()["id"], "agent through the proxy"))


@contextmanager
def _cut_off(stack: Stack, service: str) -> Iterator[None]:
    if service not in stack.services:
        not_applicable(f"this stack has no {service}")
    stack.partition(service)
    try:
        yield
    finally:
        stack.rejoin(service)


def _answer(agent: Agent, path: str) -> httpx.Response | None:
    """Return what came, or ``None`` when nothing did within the limit of this run."""
    try:
        return agent.client.get(path)
    except httpx.TransportError:
        return None
