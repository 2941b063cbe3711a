"""The proxy's way to the server behind it: one fresh connection for each request, watched while it is slow."""

from __future__ import annotations

import io
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from pytest_letta.errors import SettingsError
from pytest_letta.faults.fault import CutError, GoneError, Request, Response
from pytest_letta.faults.wire import end_to_end, has_no_body, head, without

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CONNECT_TIMEOUT_S = 5.0
PIECE = 65536
DEFAULT_PORTS = {"http": 80, "https": 443}


class Watch:
    """Waits for time or for an upstream, with an eye on the client: raises GoneError once the client has left."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._looks_for = select.POLLIN

    def wait(self, seconds: float | None, upstream: socket.socket | None = None) -> None:
        """Return when the time is over (None: never) or the upstream has something to read."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            poll = select.poll()
            poll.register(self._client, self._looks_for)
            if upstream is not None:
                poll.register(upstream, select.POLLIN)
            left = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
            ready = {number for number, _ in poll.poll(left)}
            if self._client.fileno() in ready and self._has_left():
                raise GoneError("the client left before it was answered")
            if not ready or (upstream is not None and upstream.fileno() in ready):
                return

    def _has_left(self) -> bool:
        if not self._looks_for:
            return True  # not asked for input, so this was a hang-up
        try:
            if not self._client.recv(1, socket.MSG_PEEK):
                return True
        except OSError:
            return True
        self._looks_for = 0  # the next request is already there, so that the client's going hides behind it
        return False


class Sockets:
    """The open sockets of a proxy, so that closing it wakes whoever waits on one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closing = False

    def add(self, sock: socket.socket) -> int:
        """Note an open socket and give the number of those open; raises GoneError once the proxy is closing."""
        with self._lock:
            if self._closing:
                raise GoneError("the fault proxy is closing")
            self._open.add(sock)
            return len(self._open)

    def discard(self, sock: socket.socket) -> None:
        """Forget a socket that its owner closes."""
        with self._lock:
            self._open.discard(sock)

    def hang_up(self) -> None:
        """Shut every open socket down, and refuse further ones; their owners close them."""
        with self._lock:
            self._closing = True
            for sock in self._open:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


class _WatchedBytes(io.RawIOBase):
    """The bytes of an upstream; a read ends with GoneError when the client leaves first."""

    def __init__(self, sock: socket.socket, watch: Watch) -> None:
        self._sock = sock
        self._watch = watch
        self.has_ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        if not (isinstance(self._sock, ssl.SSLSocket) and self._sock.pending()):
            self._watch.wait(None, self._sock)
        size = self._sock.recv_into(buffer)
        self.has_ended = not size
        return size

    def must_go_on(self, where: str) -> None:
        """Raise CutError if the end was read, which http.client takes for a blank line in heads and trailers."""
        if self.has_ended:
            raise CutError(f"the upstream broke off in its {where}")


class _Source:
    """As much of a socket as HTTPResponse wants."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._raw, PIECE)


@dataclass(frozen=True)
class Upstream:
    """Where a proxy forwards to."""

    scheme: str
    authority: str
    host: str
    port: int
    path: str

    @classmethod
    def at(cls, url: str) -> Upstream:
        """Take an http or https URL apart; raises SettingsError for any other."""
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise SettingsError(f"a fault proxy needs the http:// or https:// URL of its upstream, got {url!r}.")
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        return cls(parts.scheme, parts.netloc.rpartition("@")[2], parts.hostname, port, parts.path)

    def moved(self, location: str, origin: str) -> str:
        """Give the Location that leads to ``origin`` where it led to this upstream, else the same."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        authorities = {self.authority, f"{name}:{self.port}"}
        if self.port == DEFAULT_PORTS[self.scheme]:
            authorities.add(name)
        for own in (f"{self.scheme}://{authority}" for authority in authorities):
            same = location[: len(own)].lower() == own.lower()
            if same and location[len(own) : len(own) + 1] in ("", "/", "?", "#"):
                return origin + location[len(own) :]
        return location

    def dial(self) -> socket.socket:
        """Open a connection; raises OSError."""
        sock = socket.create_connection((self.host, self.port), CONNECT_TIMEOUT_S)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.scheme == "https":
                sock = ssl.create_default_context().wrap_socket(sock, server_hostname=self.host)
        except OSError:
            sock.close()
            raise
        sock.settimeout(None)
        return sock

    def ask(self, request: Request, watch: Watch, sockets: Sockets, stack: ExitStack) -> Response:
        """Forward the request; the answer can be read until ``stack`` closes. 502 means that nobody listens.

        Raises OSError or HTTPException when the upstream breaks off before the end of its head.
        """
        try:
            sock = stack.enter_context(self.dial())
        except OSError as error:
            text = f"fault proxy: no connection to {self.scheme}://{self.authority}: {error}\n"
            return Response.of(502, text.encode(), "text/plain; charset=utf-8")
        stack.callback(sockets.discard, sock)
        sockets.add(sock)
        # A server may refuse a long body before it has read it; what it then said can still be read.
        with suppress(BrokenPipeError, ConnectionResetError):
            sock.sendall(head(f"{request.method} {request.target} HTTP/1.1", request.headers))
            sock.sendall(request.body)
        raw = _WatchedBytes(sock, watch)
        reply = stack.enter_context(HTTPResponse(cast(socket.socket, _Source(raw)), method=request.method))
        reply.begin()
        raw.must_go_on("head")
        return self._response(reply, raw, request)

    def _response(self, reply: HTTPResponse, raw: _WatchedBytes, request: Request) -> Response:
        headers = end_to_end(reply.headers.items())
        if not reply.chunked:
            headers = without(headers, "transfer-encoding")
        moved = (
            (key, self.moved(value, request.origin) if key.lower() == "location" else value) for key, value in headers
        )
        chunks = iter(()) if has_no_body(request.method, reply.status) else _chunks(reply, raw)
        return Response(reply.status, chunks, reply.reason, headers=tuple(moved))


def _chunks(reply: HTTPResponse, raw: _WatchedBytes) -> Iterator[bytes]:
    """Give the pieces of a body as they arrive; raises CutError or HTTPException where it breaks off."""
    left = reply.length
    while left is None or left:
        # read1 asks the socket once at most, so that a piece is passed on before the next is there.
        piece = reply.read1(PIECE if left is None else min(PIECE, left))
        if not piece and left:
            raise CutError(f"the upstream left {left} bytes before the end of its answer")
        if not piece:
            if reply.chunked:
                raw.must_go_on("last chunk")
            return
        left = None if left is None else left - len(piece)
        yield piece
