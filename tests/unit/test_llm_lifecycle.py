"""The server starts on a free port and always ends, whoever is still connected."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from pytest_letta.errors import ModelError, PortTakenError
from pytest_letta.llm import ModelControl, say, serve, silent
from pytest_letta.llm.reply import Reply
from pytest_letta.llm.server import ModelServer


def send(server: ModelServer, reply: Reply, *, stream: bool = True) -> socket.socket:
    """Send a request and leave its answer unread."""
    prompt = ModelControl(server.url).script(reply).prompt()
    body: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": prompt}], "stream": stream}
    data = json.dumps(body).encode()
    connection = socket.create_connection(server.server_address[:2], timeout=30)
    connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
    return connection


def wait_for_requests(server: ModelServer, count: int) -> None:
    for _ in range(3000):
        if len(server.model.requests()) >= count:
            return
        time.sleep(0.01)
    pytest.fail(f"the server took in fewer than {count} requests in 30 s")


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.parametrize(
    "reply",
    [
        silent(),
        say("Late.", hold_s=3600),
        say("a b c", pace_s=3600),
        # More than the socket's buffers hold: the thread hangs in its write, for nobody reads.
        say("x" * 2**24),
    ],
    ids=["silent", "held", "paced", "unread"],
)
@pytest.mark.parametrize("stream", [False, True])
def test_waiting_answer_does_not_hold_up_the_end(reply: Reply, stream: bool) -> None:
    before = set(threading.enumerate())
    with ExitStack() as open_sockets:
        with serve() as server:
            for _ in range(3):
                open_sockets.enter_context(send(server, reply, stream=stream))
            wait_for_requests(server, 3)
        assert set(threading.enumerate()) <= before


def test_idle_connections_do_not_hold_up_the_end() -> None:
    before = set(threading.enumerate())
    with httpx.Client(trust_env=False) as client:
        with serve() as server:
            client.get(f"{server.url}/health")
        assert set(threading.enumerate()) <= before


def test_error_inside_the_context_ends_the_server() -> None:
    with pytest.raises(ZeroDivisionError), serve() as server:
        _ = 1 / 0

    with pytest.raises(OSError, match="refused"):
        socket.create_connection(server.server_address[:2], timeout=30)


def test_ended_server_frees_its_port() -> None:
    with serve() as first, httpx.Client(trust_env=False) as client:
        port = first.server_port
        client.get(f"{first.url}/health")
    with serve(port=port) as second:
        assert httpx.get(f"{second.url}/health", trust_env=False).status_code == 200


def test_taken_port_is_told() -> None:
    with serve() as server, pytest.raises(PortTakenError, match=f"127.0.0.1:{server.server_port}"):
        serve(port=server.server_port).__enter__()


@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", 0), ("127.0.0.1", 70_000)])
def test_impossible_address_is_told(host: str, port: int) -> None:
    with pytest.raises(ModelError, match=f"cannot listen on {host}:{port}"):
        serve(host, port).__enter__()


@pytest.mark.parametrize(("host", "shown"), [("0.0.0.0", "127.0.0.1"), ("::1", "[::1]"), ("localhost", "127.0.0.1")])
def test_url_can_be_called_whatever_the_host(host: str, shown: str) -> None:
    if host == "::1" and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    with serve(host) as server:
        assert server.url == f"http://{shown}:{server.server_port}"
        assert httpx.get(f"{server.url}/health", trust_env=False).status_code == 200


def test_log_gets_a_line_for_each_answer() -> None:
    lines: list[str] = []
    with serve(log=lines.append) as server:
        httpx.get(f"{server.url}/health", trust_env=False)
        httpx.get(f"{server.url}/nowhere", trust_env=False)

    assert lines == ["'GET /health HTTP/1.1' 200", "'GET /nowhere HTTP/1.1' 404"]
