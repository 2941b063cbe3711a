"""One HTTP connection of the scripted model: read a request, find its route, send the answer."""

from __future__ import annotations

import json
import socket
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pytest_letta.llm import wire
from pytest_letta.llm.control_routes import PREFIX, control
from pytest_letta.llm.obeying import obeying
from pytest_letta.llm.request import ChatRequest, RefusedError, read_chat, read_embeddings
from pytest_letta.llm.script import Turn
from pytest_letta.llm.waiting import PeerGoneError, wait_for_close, wait_until

if TYPE_CHECKING:
    from pytest_letta.llm.server import ModelServer

MAX_BODY = 64 * 1024 * 1024
ROUTES = {
    "/health": "GET",
    "/v1/models": "GET",
    "/v1/chat/completions": "POST",
    "/v1/embeddings": "POST",
}


class Handler(BaseHTTPRequestHandler):
    """Serve the requests of one connection, one after the other."""

    server: ModelServer
    protocol_version = "HTTP/1.1"
    server_version = "pytest-letta-llm"
    sys_version = ""
    # Without this the kernel may hold a token back until the one before it is acknowledged.
    disable_nagle_algorithm = True

    def answer(self) -> None:
        """Answer one request; a client that went away is no error."""
        self.read_at = time.monotonic()
        try:
            self._route()
        except RefusedError as refused:
            self._send_error(refused.status, str(refused), refused.param, refused.code)
        except RecursionError:
            self._send_error(400, "The JSON body is nested too deeply.")
        except (PeerGoneError, OSError):
            self.close_connection = True

    # The names by which the base class looks a method up.
    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = answer  # noqa: N815

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Send what the standard library finds wrong with a request line as an OpenAI error."""
        self.close_connection = True
        # A request line that names no version counts as HTTP/0.9, and that would be sent no headers.
        self.request_version = self.protocol_version
        self._send_error(code, message or explain or "Bad request.")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log one line for each answer."""
        self.server.log(f"{self.requestline!r} {code}")

    def log_message(self, format: str, *args: Any) -> None:
        """Log what else the standard library has to say."""
        self.server.log(format % args)

    def _route(self) -> None:
        url = urlsplit(self.path)
        path = unquote(url.path)
        body = self._read_body()
        if path.startswith(PREFIX):
            self._send_json(200, control(self.server.model, self.command, path, url.query, _decode(body)))
            return
        if path not in ROUTES:
            raise RefusedError(f"Unknown request URL: {self.command} {path}.", status=404, code="unknown_url")
        if self.command != ROUTES[path]:
            raise RefusedError(f"Not allowed to {self.command} on {path}.", status=405)
        if path == "/health":
            self._send_json(200, {"status": "ok"})
        elif path == "/v1/models":
            self._send_json(200, wire.models())
        else:
            self._model_call(path, body)

    def _model_call(self, path: str, body: bytes) -> None:
        value = _decode(body)
        # Before the checks: a request that was refused is the first that one wants to look at.
        self.server.model.record(path, value)
        if path == "/v1/embeddings":
            vectors = read_embeddings(value)
            if failing := self.server.model.choose_failure(value):
                self._fail(failing)
            else:
                self._send_json(200, wire.embeddings(vectors))
            return
        request = read_chat(value)
        turn = obeying(self.server.model.choose(request.messages), request)
        if turn.reply.kind == "silent":
            wait_for_close(self.connection)
            raise PeerGoneError
        if turn.reply.kind == "fail":
            self._fail(turn)
        elif request.stream:
            self._stream(request, turn)
        else:
            self._whole(request, turn)

    def _fail(self, turn: Turn) -> None:
        reply = turn.reply
        self._wait(turn, 0)
        self._send_error(reply.status or 500, reply.message or "", code=reply.code)

    def _whole(self, request: ChatRequest, turn: Turn) -> None:
        self._wait(turn, turn.reply.spoken)
        data = json.dumps(wire.completion(request, turn)).encode()
        if turn.reply.kind == "malformed":
            data = data[: len(data) // 2]
        self._send_head(200, "application/json", len(data))
        if turn.reply.kind == "cut":
            self.wfile.write(data[: len(data) // 2])
            self._hang_up()
        else:
            self.wfile.write(data)

    def _stream(self, request: ChatRequest, turn: Turn) -> None:
        # An HTTP/1.0 peer, which nginx is by default, knows no chunks: the connection's end is the body's.
        chunked = self.request_version != "HTTP/1.0"
        self._send_head(200, "text/event-stream; charset=utf-8", None if chunked else -1)
        for data, count in wire.stream(request, turn):
            self._wait(turn, count)
            event = f"data: {data}\n\n".encode()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event) if chunked else event)
        if turn.reply.kind == "cut" and not turn.reply.is_clean:
            self._hang_up()
        elif chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _wait(self, turn: Turn, count: int) -> None:
        wait_until(self.connection, self.read_at + turn.reply.due_s(count))

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _read_body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdecimal()):
            self.close_connection = True
            raise RefusedError("The body must come with its Content-Length.", status=411)
        if len(length) > 18 or int(length) > MAX_BODY:
            self.close_connection = True
            raise RefusedError(f"The body must be of at most {MAX_BODY} bytes.", status=413)
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise PeerGoneError
        return body

    def _send_error(self, status: int, message: str, param: str | None = None, code: str | None = None) -> None:
        self._send_json(status, wire.error(status, message, param=param, code=code))

    def _send_json(self, status: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self._send_head(status, "application/json", len(data))
        if self.command != "HEAD":
            self.wfile.write(data)

    def _send_head(self, status: int, content_type: str, length: int | None) -> None:
        """Send the headers; a length of None means chunks, -1 means until the connection closes."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        elif length >= 0:
            self.send_header("Content-Length", str(length))
        if length == -1 or self.close_connection:
            # This header makes the base class close the connection after the answer.
            self.send_header("Connection", "close")
        self.end_headers()


def _decode(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError as error:
        raise RefusedError(f"We could not parse the JSON body of your request: {error}") from error
