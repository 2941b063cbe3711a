"""Recreate: a service that comes back in another container, at another address, is found again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import equal, status

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent
    from pytest_letta.stack.stack import Stack
    from pytest_letta.streaming import StreamOpener

    from .conftest import Patience


@contract(
    "NET-RECREATE-001",
    needs=["agents", "proxy", "recreate"],
    because="an nginx that looked the name up when it started keeps the old address: "
    "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#resolve",
)
def test_proxy_finds_a_server_in_a_new_container(
    letta_agent: Agent, letta_proxy_client: httpx.Client, letta_stack: Stack, first_success: Patience
) -> None:
    """After the server was put into a new container the proxy leads to it, without a restart of the proxy."""
    letta_stack.recreate("letta")

    direct = letta_agent.client.get(letta_agent.path)
    must(status(direct))
    proxied = first_success(
        lambda: letta_proxy_client.get(letta_agent.path), "after the server was back in a new container, by the proxy"
    )
    must(equal(direct.json(), proxied.json(), "agent through the proxy"))


@contract(
    "NET-RECREATE-002",
    needs=["agents", "proxy", "recreate"],
    because="a configuration that was edited inside of the container is gone with it",
)
def test_proxy_in_a_new_container_leads_to_the_server(
    letta_agent: Agent, letta_proxy_client: httpx.Client, letta_stack: Stack, first_success: Patience
) -> None:
    """After the proxy was put into a new container it leads to the same server as before."""
    if "nginx" not in letta_stack.services:
        not_applicable("the proxy is not of this stack")
    before = letta_proxy_client.get(letta_agent.path)
    must(status(before))

    letta_stack.recreate("nginx")

    after = first_success(
        lambda: letta_proxy_client.get(letta_agent.path), "after the proxy was back in a new container"
    )
    must(equal(before.json(), after.json(), "agent through the proxy"))


@contract(
    "NET-RECREATE-003",
    needs=["streaming", "background", "recreate"],
    because="every route of messages goes by Redis: while it is not found, all of them answer 500",
)
def test_server_finds_redis_in_a_new_container(
    letta_agent: Agent, letta_stream: StreamOpener, letta_stack: Stack, first_success: Patience
) -> None:
    """After Redis was put into a new container the server makes turns and background streams, without a restart."""
    if "redis" not in letta_stack.services:
        not_applicable("this stack has no Redis")

    letta_stack.recreate("redis")

    message = {"messages": [{"role": "user", "content": "Are you there?"}]}
    first_success(
        lambda: letta_agent.client.post(f"{letta_agent.path}/messages", json=message),
        "after Redis was back in a new container",
    )
    with letta_stream(letta_agent, "Hello.", tokens=True, background=True) as stream:
        must(status(stream.response))
        must(None if stream.read_all()[-1].is_done else "the background stream ended without [DONE]")
