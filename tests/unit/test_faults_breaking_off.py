"""Streams pass piece by piece; whoever leaves or breaks off is felt on the other side."""

from __future__ import annotations

import socket
import struct
import threading
from http.client import IncompleteRead, RemoteDisconnected

import pytest
from faults_upstream import Handler, Reply, Seen, Stream, Wire, get, serving

from pytest_letta.faults.fault import NO_FAULT, Fault
from pytest_letta.faults.proxy import FaultProxy
from pytest_letta.faults.stream import append_after_done

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("fault", [NO_FAULT, append_after_done()])
def test_each_event_is_passed_on_before_the_next_one_exists(fault: Fault) -> None:
    stream = Stream()
    with serving(stream.answer) as server, FaultProxy(server.url, fault) as proxy, Wire(proxy.url) as client:
        client.send(GET)
        assert b"text/event-stream" in client.until(b"\r\n\r\n")
        for number in range(5):
            event = b"data: %d\n\n" % number
            stream.send(event)  # only now, when the event before was read
            assert client.until(b"\n\n\r\n") == b"9\r\n" + event + b"\r\n"
        stream.send(b"")
        assert client.until(b"\r\n\r\n") == b"0\r\n\r\n"


def test_a_client_that_leaves_a_silent_stream_ends_the_upstream_connection() -> None:
    stream = Stream()
    with serving(stream.answer) as server, FaultProxy(server.url) as proxy:
        with Wire(proxy.url) as client:
            client.send(GET)
            stream.send(b"data: 1\n\n", b"wait")
            client.until(b"data: 1\n\n")
        assert stream.is_left.wait(20)


def test_a_client_that_leaves_before_the_head_ends_the_upstream_connection() -> None:
    stream, is_asked = Stream(), threading.Event()

    def silent(handler: Handler, seen: Seen) -> None:
        is_asked.set()
        stream._wait_for_leaving(handler)

    with serving(silent) as server, FaultProxy(server.url) as proxy:
        with Wire(proxy.url) as client:
            client.send(GET)
            assert is_asked.wait(20)
        assert stream.is_left.wait(20)


def test_a_break_in_a_chunked_body_is_a_break_for_the_client() -> None:
    stream = Stream()
    stream.send(b"data: 1\n\n", b"break")
    with (
        serving(stream.answer) as server,
        FaultProxy(server.url) as proxy,
        pytest.raises(IncompleteRead) as caught,
    ):
        get(proxy.url)
    assert caught.value.partial == b"data: 1\n\n"


def test_a_break_in_a_body_of_known_length_is_a_break_for_the_client() -> None:
    def half(handler: Handler, seen: Seen) -> None:
        handler.head(200, (("Content-Length", "10"),))
        handler.wfile.write(b"half.")
        handler.close_connection = True

    with serving(half) as server, FaultProxy(server.url) as proxy, pytest.raises(IncompleteRead) as caught:
        get(proxy.url)
    assert caught.value.partial == b"half."


def test_a_reset_in_a_body_without_length_is_a_reset_for_the_client() -> None:
    may_reset = threading.Event()

    def reset(handler: Handler, seen: Seen) -> None:
        handler.head(200)
        handler.wfile.write(b"half.")
        may_reset.wait(20)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        handler.close_connection = True

    with serving(reset) as server, FaultProxy(server.url) as proxy, Wire(proxy.url) as client:
        client.send(GET)
        client.until(b"half.")
        may_reset.set()
        with pytest.raises(ConnectionResetError):
            client.rest()


def test_a_break_before_the_head_is_a_break_for_the_client() -> None:
    def leave(handler: Handler, seen: Seen) -> None:
        handler.close_connection = True

    with serving(leave) as server, FaultProxy(server.url) as proxy, pytest.raises(RemoteDisconnected):
        get(proxy.url)


@pytest.mark.parametrize(
    "given",
    [
        b"HTTP/1.1 200 OK\r\nContent-Ty",
        b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nh",
    ],
)
def test_a_break_anywhere_is_not_mended(given: bytes) -> None:
    def write(handler: Handler, seen: Seen) -> None:
        handler.wfile.write(given)
        handler.close_connection = True

    with serving(write) as server, FaultProxy(server.url) as proxy, Wire(proxy.url) as client:
        client.send(GET)
        received = client.rest()
    assert received == b"" or (b"chunked" in received and not received.endswith(b"0\r\n\r\n"))


def test_a_request_whose_head_breaks_off_is_not_forwarded() -> None:
    with serving(Reply()) as server, FaultProxy(server.url) as proxy:
        with Wire(proxy.url) as client:
            client.send(b"DELETE /v1/agents/1 HTTP/1.1\r\nHost: x\r\n")
            client.sock.shutdown(socket.SHUT_WR)
            assert client.rest() == b""
        assert server.seen == []


def test_a_server_that_refuses_a_long_body_unread_is_heard() -> None:
    def refuse(handler: Handler, seen: Seen) -> None:
        handler.head(413, (("Content-Length", "0"),))
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_WR)
        while handler.connection.recv(65536):
            pass  # what a server's lingering close does, so that the answer is not lost in a reset

    with serving(refuse, reads_no_body=True) as server, FaultProxy(server.url) as proxy:
        assert get(proxy.url, "POST", body=bytes(5_000_000)).status == 413


def test_a_server_that_refuses_a_long_body_and_resets_is_heard() -> None:
    def refuse(handler: Handler, seen: Seen) -> None:
        handler.head(413, (("Content-Length", "0"),))
        handler.close_connection = True  # with a body unread, so that the peer gets a reset

    with serving(refuse, reads_no_body=True) as server, FaultProxy(server.url) as proxy:
        assert get(proxy.url, "POST", body=bytes(20_000_000)).status == 413


def test_an_upstream_that_nobody_listens_at_is_a_502_that_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with FaultProxy(url) as proxy:
        reply = get(proxy.url)
    assert (reply.status, url in reply.body.decode()) == (502, True)


@pytest.mark.parametrize("text", [b"Content-Length: x", b"Content-Length: -1", b"Transfer-Encoding: chunked"])
def test_a_request_with_broken_framing_is_a_400(text: bytes) -> None:
    with serving(Reply()) as server, FaultProxy(server.url) as proxy, Wire(proxy.url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\n" + text + b"\r\n\r\nxyz\r\n")
        assert client.rest().startswith(b"HTTP/1.1 400 ")
        assert server.seen == []
