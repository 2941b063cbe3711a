"""The proxy is reloaded: nobody notices."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import equal, status
from pytest_letta.errors import StreamError
from pytest_letta.llm import say
from pytest_letta.streaming import text_of

from .load import under_load

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.stack.stack import Stack
    from pytest_letta.streaming import StreamOpener

_TOKENS = [f"word{number} " for number in range(12)]
_PACE_S = 0.1
_RELOADS = 2
_BETWEEN_S = 0.3


@contract(
    "NET-RELOAD-001",
    needs=["streaming", "llm", "proxy", "reload"],
    because="certificates are renewed by a reload, in the midst of somebody's answer",
)
def test_stream_outlives_a_reload_of_the_proxy(
    letta_agent: Agent, letta_llm: ModelControl, letta_stack: Stack, letta_proxy_stream: StreamOpener
) -> None:
    """A stream through the proxy goes on to its end when the proxy is reloaded in its midst."""
    _need_nginx(letta_stack)
    script = letta_llm.script(say("".join(_TOKENS), tokens=_TOKENS, pace_s=_PACE_S))

    with letta_proxy_stream(letta_agent, script.prompt(), tokens=True) as stream:
        must(status(stream.response))
        stream.read(3)
        letta_stack.reload("nginx")
        try:
            events = stream.read_all()
        except (httpx.TransportError, StreamError) as error:
            must(f"the stream broke off after {len(stream.events)} events when the proxy was reloaded: {error!r}")

    must(equal("".join(_TOKENS), text_of(events), "text of a stream over a reload of the proxy"))
    must(None if events[-1].is_done else "the stream ended without [DONE] when the proxy was reloaded")


@contract(
    "NET-RELOAD-002",
    needs=["agents", "proxy", "reload"],
    because="a reload that refuses connections for a moment is a restart",
)
def test_requests_during_a_reload_of_the_proxy_succeed(
    letta_agent: Agent, letta_proxy_client: httpx.Client, letta_stack: Stack
) -> None:
    """Requests through the proxy, each over a connection of its own, all succeed while the proxy is reloaded."""
    _need_nginx(letta_stack)
    # A connection that idles is closed by a reload, and its next request can meet that.
    alone = {"Connection": "close"}

    with under_load(
        read=lambda _: letta_proxy_client.get(letta_agent.path, headers=alone),
        health=lambda _: letta_proxy_client.get("/v1/health/", headers=alone),
    ) as load:
        for _ in range(_RELOADS):
            letta_stack.reload("nginx")
            time.sleep(_BETWEEN_S)

    must(load.problem("read", "health"))


def _need_nginx(stack: Stack) -> None:
    if "nginx" not in stack.services:
        not_applicable("the proxy is not of this stack")
