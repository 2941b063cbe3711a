"""A fault proxy starts, changes its fault and ends, and nothing stays behind."""

from __future__ import annotations

import os
import socket
import threading

import pytest
from faults_upstream import Handler, Reply, Seen, Stream, Wire, get, serving

from pytest_letta.errors import PortTakenError, SettingsError
from pytest_letta.faults.fault import NO_FAULT, Fault, OnRequest, OnResponse, Request, Response, together
from pytest_letta.faults.net import hang
from pytest_letta.faults.proxy import FaultProxy
from pytest_letta.faults.rest import answer
from pytest_letta.faults.stream import buffer_stream, stall_after

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def test_leaving_the_proxy_ends_a_transfer_that_the_server_does_not_read() -> None:
    is_asked, may_end = threading.Event(), threading.Event()
    was_let_go: list[bool] = []

    def ignore(handler: Handler, seen: Seen) -> None:
        is_asked.set()
        was_let_go.append(may_end.wait(20))
        handler.close_connection = True

    with serving(ignore, reads_no_body=True) as server, FaultProxy(server.url) as proxy, Wire(proxy.url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n" + bytes(20_000_000))
        assert is_asked.wait(20)
        proxy.close()
        may_end.set()
    assert was_let_go == [True]  # by the test, after the proxy had closed


@pytest.mark.parametrize(
    ("fault", "read_before"),
    [(NO_FAULT, b"data: 1\n\n"), (hang(), b""), (stall_after(1), b"data: 1\n\n"), (buffer_stream(), b"")],
    ids=["stream", "hang", "stall", "buffer"],
)
def test_leaving_the_proxy_ends_hanging_exchanges_with_their_threads_and_sockets(
    fault: Fault, read_before: bytes
) -> None:
    stream, is_asked = Stream(), threading.Event()

    def note(request: Request) -> Request:
        is_asked.set()
        return request

    stream.send(b"data: 1\n\n", b"wait")
    threads, files = set(threading.enumerate()), _open_files()
    with (
        serving(stream.answer) as server,
        FaultProxy(server.url, together(OnRequest(note), fault)) as proxy,
        Wire(proxy.url) as client,
        Wire(proxy.url) as idle,
    ):
        idle.send(b"GET / HTTP/1.1\r\n")
        client.send(GET)
        assert is_asked.wait(20)
        client.until(read_before)
        proxy.close()
    assert set(threading.enumerate()) == threads
    assert _open_files() == files


def test_leaving_the_proxy_ends_a_transfer_that_the_client_does_not_read() -> None:
    def endless(handler: Handler, seen: Seen) -> None:
        handler.head(200, (("Transfer-Encoding", "chunked"),))
        while True:
            handler.chunk(bytes(100_000))

    with serving(endless) as server, FaultProxy(server.url) as proxy, Wire(proxy.url) as client:
        client.send(GET)
        client.until(b"\r\n\r\n")


def test_the_fault_can_be_replaced_while_the_proxy_runs() -> None:
    with serving(Reply()) as server, FaultProxy(server.url) as proxy:
        statuses = [get(proxy.url).status]
        proxy.fault = answer(503)
        statuses.append(get(proxy.url).status)
        proxy.fault = NO_FAULT
        statuses.append(get(proxy.url).status)
    assert statuses == [200, 503, 200]


def test_a_fault_that_fails_by_itself_is_not_taken_for_a_defect() -> None:
    def bug(request: Request) -> Request:
        raise ZeroDivisionError("a bug of the fault")

    with (
        serving(Reply()) as server,
        pytest.raises(RuntimeError, match=r"a fault failed by itself.*a bug of the fault"),
        FaultProxy(server.url, OnRequest(bug)) as proxy,
    ):
        reply = get(proxy.url)
    assert (reply.status, b"a bug of the fault" in reply.body) == (500, True)


def test_a_fault_that_fails_after_forwarding_leaves_no_connection_open() -> None:
    def bug(request: Request, response: Response) -> Response:
        raise ZeroDivisionError("a bug of the fault")

    with serving(Reply()) as server, pytest.raises(RuntimeError), FaultProxy(server.url, OnResponse(bug)) as proxy:
        get(proxy.url)


@pytest.mark.parametrize("url", ["127.0.0.1:8283", "ftp://x", "http://", ""])
def test_an_upstream_that_is_no_http_url_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="http:// or https:// URL"):
        FaultProxy(url)


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=str(port)), FaultProxy("http://127.0.0.1:1", port=port):
            pass


def test_a_proxy_that_does_not_run_has_no_url() -> None:
    with pytest.raises(RuntimeError, match="with statement"):
        FaultProxy("http://127.0.0.1:1").url  # noqa: B018


def _open_files() -> set[str]:
    return set(os.listdir("/proc/self/fd"))
