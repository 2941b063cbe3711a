"""Volume: large bodies and many connections pass."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, status
from pytest_letta.telling import answered

if TYPE_CHECKING:
    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.ownership import Ledger

_MIB = 1024 * 1024
_CONNECTIONS = 100
_TOO_MANY = "nginx: worker_connections 1024, of which each request takes two; no limit_conn, no limit_req"
_CUT = "nginx: proxy_buffering off, or a proxy_temp_path that nginx may write to and that has room"
_TOO_LARGE = "nginx: client_max_body_size is 1m unless it is set"


def _upload_problem(client: httpx.Client, agent: Agent) -> str | None:
    """Send a body of more than 1 MiB; say how it was refused or changed, if it was."""
    text = "0123456789abcdef" * (_MIB // 16 + 1)
    answer = client.patch(agent.path, json={"metadata": {"text": text}})
    if answer.status_code == 413:
        return f"{answered(answer)} ({_TOO_LARGE})"
    if problem := status(answer):
        return problem
    kept = (agent.client.get(agent.path).json().get("metadata") or {}).get("text", "")
    return None if kept == text else f"of {len(text):,} characters {len(kept):,} were stored, or others"


def _connections_problem(client: httpx.Client, ledger: Ledger) -> str | None:
    """Hold many connections open at once, each with an answer that is not read yet; say which fails."""
    wrong = []
    with ExitStack() as held:
        for number in range(_CONNECTIONS):
            path = f"/v1/agents/?name={ledger.name()}" if number % 10 == 0 else "/v1/health/"
            try:
                answer = held.enter_context(client.stream("GET", path))
            except httpx.TransportError as error:
                return f"connection {number + 1} of {_CONNECTIONS} failed: {type(error).__name__}: {error}"
            if answer.status_code != 200:
                wrong.append(f"{number + 1} answered {answer.status_code}")
    return (
        f"of {_CONNECTIONS} connections at once {len(wrong)} failed: number {', '.join(wrong[:3])}" if wrong else None
    )


@contract("NET-VOLUME-001", needs=["agents"], because="documents and images go into one request")
def test_large_body_is_accepted(letta_agent: Agent, letta_client: httpx.Client) -> None:
    """A request body of more than 1 MiB is accepted and stored whole."""
    must(_upload_problem(letta_client, letta_agent))


@contract(
    "NET-VOLUME-002", needs=["agents", "proxy"], because="nginx refuses bodies above 1 MB unless told otherwise"
)
def test_large_body_passes_the_proxy(letta_agent: Agent, letta_proxy_client: httpx.Client) -> None:
    """The same body is accepted and stored whole through the proxy."""
    must(_upload_problem(letta_proxy_client, letta_agent))


@contract("NET-VOLUME-003", needs=["agents", "proxy"], because="a proxy that cannot buffer a large answer cuts it")
def test_large_answer_passes_the_proxy(make_letta_agent: AgentMaker, letta_proxy_client: httpx.Client) -> None:
    """An answer of more than 1 MiB comes whole through the proxy."""
    agent = make_letta_agent(metadata={"text": "fedcba9876543210" * (_MIB // 16 + 1)})

    try:
        proxied = letta_proxy_client.get(agent.path)
    except httpx.TransportError as error:
        must(f"GET of an agent of more than 1 MiB through the proxy broke off: {error} ({_CUT})")
        return

    must(status(proxied))
    text = (proxied.json().get("metadata") or {}).get("text", "")
    problem = equal(len(agent.state["metadata"]["text"]), len(text), "characters of the large answer")
    must(f"{problem} ({_CUT})" if problem else None)


@contract("NET-VOLUME-004", needs=["agents"], because="one service is shared by many projects: letta-ai/letta#3219")
def test_many_connections_are_answered(letta_client: httpx.Client, letta_ledger: Ledger) -> None:
    """A hundred connections that are open at once are all answered."""
    must(_connections_problem(letta_client, letta_ledger))


@contract("NET-VOLUME-005", needs=["agents", "proxy"], because="worker_connections counts both sides of a proxy")
def test_many_connections_pass_the_proxy(letta_proxy_client: httpx.Client, letta_ledger: Ledger) -> None:
    """A hundred connections that are open at once are all answered through the proxy."""
    problem = _connections_problem(letta_proxy_client, letta_ledger)
    must(f"{problem} ({_TOO_MANY})" if problem else None)
