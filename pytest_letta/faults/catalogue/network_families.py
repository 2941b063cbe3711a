"""Faults of hosts whose addresses of IPv4 and of IPv6 lead to different places."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from urllib.parse import urlsplit

from pytest_letta.faults.fault import Match
from pytest_letta.faults.proxy import FaultProxy
from pytest_letta.faults.rest import change_status
from pytest_letta.faults.stack import StackFault
from pytest_letta.stack.stack import Stack

_OTHER = "::1"
_GONE = b'{"detail": "Agent not found"}'


def _port(url: str | None) -> int:
    port = urlsplit(url or "").port
    assert port is not None, f"{url} has no port"
    return port


@contextmanager
def _another_server(stack: Stack) -> Iterator[None]:
    """Have a server without our agents listen at the other address."""
    empty = change_status(404, body=_GONE, on=Match("GET", "/v1/agents/agent-"))
    with FaultProxy(stack.url, empty, host=_OTHER, port=_port(stack.url)):
        yield


@contextmanager
def _nobody_who_answers(stack: Stack) -> Iterator[None]:
    """Have connections to the other address of the proxy hang: its queue is full, and nobody empties it."""
    place = (_OTHER, _port(stack.proxy_url))
    with ExitStack() as opened, closing(socket.socket(socket.AF_INET6)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(0)
        for _ in range(4):
            waiting = opened.enter_context(socket.socket(socket.AF_INET6))
            waiting.setblocking(False)
            waiting.connect_ex(place)
        yield


FAULTS = (
    StackFault(
        name="another-server-by-ipv6",
        kills=("NET-FAMILY-001",),
        reason="the address ::1 of localhost leads to another server: .* answered 404",
        during=_another_server,
    ),
    StackFault(
        name="proxy-hangs-by-ipv6",
        kills=("NET-FAMILY-002",),
        reason="the address ::1 of localhost takes no connections and refuses none",
        during=_nobody_who_answers,
    ),
)
