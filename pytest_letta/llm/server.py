"""Serve the scripted model over HTTP, in threads of this process."""

from __future__ import annotations

import errno
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import ThreadingHTTPServer

from pytest_letta.errors import ModelError, PortTakenError
from pytest_letta.llm.handler import Handler
from pytest_letta.llm.script import ScriptedModel

_JOIN_S = 5.0
_LINGER_S = 1.0


class ModelServer(ThreadingHTTPServer):
    """The listening server; `serve` makes one that runs. ``model`` holds its scripts and requests."""

    allow_reuse_port = False
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, log: Callable[[str], None] | None = None) -> None:
        self.model = ScriptedModel()
        self._log = log
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), Handler)

    @property
    def url(self) -> str:
        """The server's root, without a slash at its end; a wildcard host is shown as loopback."""
        host, port = self.server_address[:2]
        name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(str(host), str(host))
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as its base URL."""
        return f"{self.url}/v1"

    def log(self, line: str) -> None:
        """Write a line to the log that `serve` was given."""
        if self._log is not None:
            self._log(line)

    def server_bind(self) -> None:
        """Bind, without the look-up of the host's full name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        host, self.server_port = self.server_address[:2]
        self.server_name = str(host)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        """Start the connection's thread; both are known from here on, so that `stop` can end them."""
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._lock:
            self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        """Say goodbye to a client and close once it has heard.

        To close while the rest of a refused body is unread would reset the connection, and a reset
        destroys the answer that is still on its way.
        """
        with suppress(OSError):
            request.shutdown(socket.SHUT_WR)
            request.settimeout(_LINGER_S)
            while request.recv(65_536):
                pass
        self.close_request(request)

    def close_request(self, request: socket.socket) -> None:  # type: ignore[override]
        """Close a connection."""
        with self._lock:
            self._open.pop(request, None)
            request.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Report a defect of ours; a connection that broke is none."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def stop(self) -> None:
        """Stop listening, end every connection whatever it waits for, and wait for the threads."""
        self.shutdown()
        self.server_close()
        with self._lock:
            threads = list(self._open.values())
            for connection in self._open:
                # Wakes a thread that reads, writes or waits on it; it may have been closed by the client.
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(_JOIN_S)


@contextmanager
def serve(
    host: str = "127.0.0.1", port: int = 0, *, log: Callable[[str], None] | None = None
) -> Iterator[ModelServer]:
    """Serve the scripted model while the context lasts; port 0 takes a free one.

    ``log`` gets one line for each answer. Raises PortTakenError where the port is in use, ModelError
    where the address cannot be used.
    """
    server = _bind(host, port, log)
    # The interval bounds how long `stop` waits for the loop to notice.
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="letta-llm", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


def _bind(host: str, port: int, log: Callable[[str], None] | None) -> ModelServer:
    try:
        return ModelServer(host, port, log)
    except (OSError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            message = f"the scripted model cannot listen on {host}:{port}, the port is in use; 0 takes a free one."
            raise PortTakenError(message) from error
        raise ModelError(f"the scripted model cannot listen on {host}:{port}: {error}.") from error
