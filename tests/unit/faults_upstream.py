"""Real local servers and a plain client for the tests of the fault proxy."""

from __future__ import annotations

import queue
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from typing import Any, Self
from urllib.parse import urlsplit

from pytest_letta.faults.fault import Fault
from pytest_letta.faults.proxy import FaultProxy

WAIT_S = 20
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Seen:
    """One request as it reached the server."""

    method: str
    target: str
    headers: Pairs
    body: bytes


@dataclass(frozen=True)
class Reply:
    """One answer, to be given by a server or as a client got it."""

    status: int = 200
    headers: Pairs = ()
    body: bytes = b""
    reason: str = "OK"


class Handler(BaseHTTPRequestHandler):
    """Notes each request and leaves the answer to a function."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        target = self.raw_requestline.split(b" ")[1].decode("latin-1")
        length = int(self.headers.get("Content-Length", "0"))
        body = b"" if self.server.reads_no_body else self.rfile.read(length)  # type: ignore[attr-defined]
        seen = Seen(self.command, target, tuple(self.headers.items()), body)
        self.server.seen.append(seen)  # type: ignore[attr-defined]
        self.server.answer(self, seen)  # type: ignore[attr-defined]

    def head(self, status: int = 200, headers: Pairs = (), reason: str | None = None) -> None:
        """Send a head with these headers and no others."""
        self.send_response_only(status, reason)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def chunk(self, data: bytes) -> None:
        """Send one chunk; an empty one ends the body."""
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def log_message(self, format: str, *args: Any) -> None:
        pass


Answer = Callable[[Handler, Seen], None]


class Server(socketserver.ThreadingTCPServer):
    """A server whose answers come from a function."""

    allow_reuse_address = True
    daemon_threads = False
    request_queue_size = 256

    def __init__(self, answer: Answer, reads_no_body: bool, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.reads_no_body = reads_no_body
        self.seen: list[Seen] = []
        self.authority = f"127.0.0.1:{self.server_address[1]}"
        self.url = f"{'https' if tls else 'http'}://{self.authority}"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave are part of the tests."""


@contextmanager
def serving(
    answer: Answer | Reply, *, reads_no_body: bool = False, tls: ssl.SSLContext | None = None
) -> Iterator[Server]:
    """Serve on a free port; ends when all connections have ended."""
    given = always(answer) if isinstance(answer, Reply) else answer
    with Server(given, reads_no_body, tls) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def always(reply: Reply) -> Answer:
    """Give the same answer to everything, with its length unless the headers say how it is framed."""

    def answer(handler: Handler, seen: Seen) -> None:
        framed = {name.lower() for name, _ in reply.headers} & {"content-length", "transfer-encoding"}
        no_body = reply.status in (204, 304)
        length = () if framed or no_body else (("Content-Length", str(len(reply.body))),)
        handler.head(reply.status, (*reply.headers, *length), reply.reason)
        if seen.method != "HEAD" and not no_body:
            handler.wfile.write(reply.body)

    return answer


@dataclass
class Stream:
    """A chunked event stream that sends what the test hands it, when the test hands it."""

    frames: queue.SimpleQueue[bytes] = field(default_factory=queue.SimpleQueue)
    is_left: threading.Event = field(default_factory=threading.Event)
    headers: Pairs = (("Content-Type", "text/event-stream; charset=utf-8"), ("Transfer-Encoding", "chunked"))

    def answer(self, handler: Handler, seen: Seen) -> None:
        """Send frames until an empty one; b"wait" waits until the client leaves; b"break" breaks off."""
        handler.head(200, self.headers)
        while True:
            frame = self.frames.get(timeout=WAIT_S)
            if frame == b"wait":
                self._wait_for_leaving(handler)
            if frame in (b"wait", b"break"):
                handler.close_connection = True
                return
            handler.chunk(frame)
            if not frame:
                return

    def send(self, *frames: bytes) -> None:
        """Hand over frames."""
        for frame in frames:
            self.frames.put(frame)

    def _wait_for_leaving(self, handler: Handler) -> None:
        handler.connection.settimeout(WAIT_S)
        try:
            if handler.connection.recv(1) == b"":
                self.is_left.set()
        except ConnectionError:
            self.is_left.set()


class Wire:
    """A client that writes bytes and reads bytes."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.sock = socket.create_connection((parts.hostname, parts.port), WAIT_S)
        self.data = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.sock.sendall(data)

    def until(self, mark: bytes) -> bytes:
        """Read up to and including the mark, and no further; ConnectionError if the peer ends before."""
        while mark not in self.data:
            piece = self.sock.recv(65536)
            if not piece:
                raise ConnectionError(f"the peer ended after {self.data!r}")
            self.data += piece
        if not mark:
            return b""
        found, _, self.data = self.data.partition(mark)
        return found + mark

    def rest(self) -> bytes:
        """Read until the peer ends."""
        while piece := self.sock.recv(65536):
            self.data += piece
        return self.data


def get(url: str, method: str = "GET", target: str = "/", body: bytes | None = None, headers: Pairs = ()) -> Reply:
    """Send one request on a connection of its own and read the answer to its end."""
    parts = urlsplit(url)
    with closing(HTTPConnection(parts.hostname or "", parts.port, timeout=WAIT_S)) as connection:
        connection.request(method, target, body, dict(headers))
        with connection.getresponse() as response:
            return Reply(response.status, tuple(response.getheaders()), response.read(), response.reason)


@dataclass(frozen=True)
class Outcome:
    """What a client got, and what reached the server."""

    reply: Reply
    seen: tuple[Seen, ...]


def through(fault: Fault, answer: Answer | Reply, *calls: dict[str, Any]) -> list[Outcome]:
    """Send the calls one after the other through a proxy with the fault."""
    outcomes = []
    with serving(answer) as server, FaultProxy(server.url, fault) as proxy:
        for call in calls:
            server.seen.clear()
            reply = get(proxy.url, **call)
            # So that two runs can be compared, whatever their ports.
            seen = tuple(
                Seen(s.method, s.target, tuple((k, v.replace(server.authority, "UP")) for k, v in s.headers), s.body)
                for s in server.seen
            )
            headers = tuple((name, value.replace(proxy.url, "PROXY")) for name, value in reply.headers)
            outcomes.append(Outcome(Reply(reply.status, headers, reply.body, reply.reason), seen))
    return outcomes
