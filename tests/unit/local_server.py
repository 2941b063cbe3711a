"""A real HTTP server in a thread, which does what a function says and remembers what it was asked."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request as it came in. `port` is the client's, so that connections can be told apart."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    port: int


class Call(BaseHTTPRequestHandler):
    """One request that a test answers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 10
    server: Server  # type: ignore[assignment]

    def answer(self, status: int = 200, body: object = b"", **headers: str) -> None:
        """Answer with bytes, text or an object as JSON; underscores in names of headers become hyphens."""
        raw = (
            body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        )
        fields = {"content_type": "application/json", "content_length": str(len(raw)), **headers}
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(raw)

    def start_stream(self, content_type: str = "text/event-stream") -> None:
        """Begin an answer whose end is the end of the connection."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.send_header("connection", "close")
        self.end_headers()

    def drip(self, raw: bytes, pause_s: float = 0.02) -> None:
        """Send bytes one at a time, over and over, until the client has had enough; at most for 10 s."""
        self.close_connection = True
        for _ in range(int(10 / pause_s)):
            for byte in raw:
                self.wfile.write(bytes([byte]))
                if self.server.closing.wait(pause_s):
                    return

    def hang(self) -> None:
        """Say nothing, for at most 10 s."""
        self.close_connection = True
        self.server.closing.wait(10)

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.headers.get("transfer-encoding") == "chunked":
            body = b"".join(iter(self._chunk, b""))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append(Asked(self.command, self.path, headers, body, self.client_address[1]))
        self.server.respond(self)

    def _chunk(self) -> bytes:
        chunk = self.rfile.read(int(self.rfile.readline(), 16))
        self.rfile.readline()
        return chunk

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""


@dataclass
class Server:
    """What a test sees of a running server, and what its calls see of the test."""

    respond: Callable[[Call], None]
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def paths(self) -> list[str]:
        """Paths that were asked for, in order."""
        return [asked.path for asked in self.asked]


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    tls: ssl.SSLContext | None = None

    def get_request(self) -> tuple[Any, Any]:
        sock, address = super().get_request()
        if self.tls is not None:
            sock = self.tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return sock, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Be quiet: clients of these tests break off on purpose."""


@contextmanager
def serving(respond: Callable[[Call], None], *, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve on a free port of 127.0.0.1 until the block ends."""
    seen = Server(respond)
    # The handler's `server` is not the socket server but what the test sees of it.
    with _HttpServer(("127.0.0.1", 0), lambda sock, address, _: Call(sock, address, seen)) as server:  # type: ignore[arg-type]
        server.tls = tls
        seen.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield seen
        finally:
            seen.closing.set()
            server.shutdown()
            thread.join()
