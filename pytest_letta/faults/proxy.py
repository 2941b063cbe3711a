"""A reverse proxy that is transparent but for the fault that it was given: threaded, streaming, HTTP/1.1."""

from __future__ import annotations

import errno
import socket
import socketserver
import struct
import threading
import time
from contextlib import ExitStack, suppress
from functools import partial
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

from pytest_letta.errors import PortTakenError
from pytest_letta.faults.fault import NO_FAULT, Fault, Request, Response
from pytest_letta.faults.upstream import CONNECT_TIMEOUT_S, Sockets, Upstream, Watch
from pytest_letta.faults.wire import end_to_end, framing, has_no_body, head, read_body

# More than http.server's own bound of 100 fields, so that it is that which refuses.
MAX_LINES = 200
#: Of how the body of a request comes, which ends here.
_FRAMING = frozenset({"expect", "transfer-encoding"})


class FaultProxy:
    """Stand for the server at ``upstream_url``, with one defect; a context manager.

    ``fault`` may be replaced at any time: each request is served by the fault that is there when it arrives.
    ``port`` 0 means any free one. Request bodies are read whole before they are forwarded; each request gets an
    upstream connection of its own, whether or not the client's is kept. An upstream that breaks off makes the proxy
    break off; one that cannot be reached is a 502. Entering raises SettingsError for a URL that is not http or
    https and PortTakenError; leaving ends all connections and threads, and raises what went wrong inside a fault.
    """

    def __init__(self, upstream_url: str, fault: Fault = NO_FAULT, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.fault = fault
        self.failures: list[Exception] = []
        self._upstream = Upstream.at(upstream_url)
        self._address = (host, port)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The URL that stands for the upstream's, with the same path; only while the proxy runs."""
        if self._server is None:
            raise RuntimeError("the fault proxy does not run: use it in a with statement.")
        return self._server.origin + self._upstream.path

    def lead_to(self, upstream_url: str) -> None:
        """Have requests from now on go to another upstream; raises SettingsError as entering does."""
        self._upstream = Upstream.at(upstream_url)
        if self._server is not None:
            self._server.upstream = self._upstream

    def __enter__(self) -> Self:
        try:
            self._server = _Server(self._address, self._upstream, self)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise PortTakenError(f"the fault proxy cannot listen on {self._address}: the port is taken.") from error
        name = f"fault-proxy-{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.accept_all, name=name)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
        if error is None and self.failures:
            raise RuntimeError(f"a fault failed by itself: {self.failures[0]!r}") from self.failures[0]

    def close(self) -> None:
        """End all connections and wait for all threads; harmless when repeated."""
        server, self._server = self._server, None
        thread, self._thread = self._thread, None
        if server is None or thread is None:
            return
        server.stop_accepting()
        thread.join()
        server.clients.hang_up()
        server.upstreams.hang_up()
        server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    """Accepts clients; a thread for each, all of them joined by ``server_close``."""

    allow_reuse_address = True
    daemon_threads = False
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], upstream: Upstream, owner: FaultProxy) -> None:
        self.is_closing = False
        self.clients = Sockets()
        self.upstreams = Sockets()
        self.upstream = upstream
        self.owner = owner
        self.ranks: dict[socket.socket, int] = {}
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)
        self.address = (address[0], int(self.server_address[1]))
        name = f"[{address[0]}]" if ":" in address[0] else address[0]
        self.origin = f"http://{name}:{self.address[1]}"

    def accept_all(self) -> None:
        """Serve until ``stop_accepting``."""
        while not self.is_closing:
            self.handle_request()

    def stop_accepting(self) -> None:
        """Wake the accepting thread, by a connection, to let it see that it is over."""
        self.is_closing = True
        with suppress(OSError):
            socket.create_connection(self.address, CONNECT_TIMEOUT_S).close()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        return not self.is_closing

    def process_request(self, request: Any, client_address: Any) -> None:
        # Here, in the accepting thread, so that no connection escapes `hang_up`.
        self.ranks[request] = self.clients.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.clients.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: `_Handler` keeps what went wrong."""


class _Handler(BaseHTTPRequestHandler):
    """One client connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self._rank = self.server.ranks.pop(self.connection)
        self._watch = Watch(self.connection)
        self._framing = ""

    def handle_one_request(self) -> None:
        self.close_connection = True
        self._framing = ""
        try:
            self.raw_requestline = self.rfile.readline(65537)
            target = self._take_target()
            if self.raw_requestline and self._parse():
                self._serve(target or self.path)
        except (OSError, HTTPException):
            self._break_off()
        except Exception as failure:
            self.server.owner.failures.append(failure)
            self._confess(failure)

    def _take_target(self) -> str:
        """Put "/" for the target: http.server would refuse raw UTF-8 in it and take leading slashes from it."""
        words = self.raw_requestline.split(b" ")
        if len(words) != 3:
            return ""  # an error, about which http.server tells the client
        self.raw_requestline = b" ".join((words[0], b"/", words[2]))
        return words[1].decode("latin-1")

    def _parse(self) -> bool:
        """Parse a head that is there to its end: http.server takes a client that left for a blank line."""
        lines, connection = [b""], self.rfile
        while lines[-1] not in (b"\r\n", b"\n") and len(lines) < MAX_LINES:
            lines.append(connection.readline(65537))
            if not lines[-1]:
                return False
        self.rfile = BytesIO(b"".join(lines))
        try:
            return self.parse_request()
        finally:
            self.rfile = connection

    def _serve(self, target: str) -> None:
        keeps = not self.close_connection and self.request_version == "HTTP/1.1"
        self.close_connection = True  # until all has gone well
        try:
            request = self._request(target)
        except ValueError as error:
            self.send_error(400, str(error))
            return
        with ExitStack() as stack:
            ask = partial(self.server.upstream.ask, watch=self._watch, sockets=self.server.upstreams, stack=stack)
            response = self.server.owner.fault.serve(request, ask)
            self._answer(request, response, keeps)

    def _request(self, target: str) -> Request:
        sent, own_host = end_to_end(self.headers.items()), self.server.upstream.authority
        sent = tuple((key, own_host if key.lower() == "host" else value) for key, value in sent)
        started = time.monotonic()
        body, headers = read_body(cast(BinaryIO, self.rfile), sent)
        return Request(
            self.command,
            target,
            body,
            self.server.origin,
            self._rank,
            self._watch.wait,
            framing=frozenset(name.lower() for name in self.headers) & _FRAMING,
            upload_s=time.monotonic() - started,
            headers=tuple(pair for pair in headers if pair[0].lower() != "expect"),
        )

    def _answer(self, request: Request, response: Response, keeps: bool) -> None:
        headers, framed = framing(response.headers, self.request_version)
        if has_no_body(request.method, response.status):
            headers, framed = response.headers, "none"
        keeps = keeps and framed != "close"
        if not keeps:
            headers = (*headers, ("Connection", "close"))
        self.connection.sendall(head(f"HTTP/1.1 {response.status} {response.phrase}", headers))
        self._framing = framed
        if framed != "none":
            for chunk in response.chunks:
                self._send(chunk)
        if framed == "chunked":
            self.connection.sendall(b"0\r\n\r\n")
        self.close_connection = not keeps

    def _send(self, chunk: bytes) -> None:
        if chunk and self._framing == "chunked":
            chunk = b"%x\r\n%b\r\n" % (len(chunk), chunk)
        self.connection.sendall(chunk)

    def _break_off(self) -> None:
        if self._framing == "close":
            # Where the end of the connection is the end of the body, only a reset tells that it is incomplete.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def _confess(self, failure: Exception) -> None:
        if not self._framing:
            body = f"fault proxy: {failure!r}\n".encode()
            plain = Response.of(500, body, "text/plain; charset=utf-8").with_header("Connection", "close")
            self.connection.sendall(head("HTTP/1.1 500 Internal Server Error", plain.headers) + body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the proxy's users record what they send and get."""
