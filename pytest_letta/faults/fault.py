"""What a fault is: the messages that it sees, the hooks with which it changes them, how faults combine.

A fault lies between a client and a healthy server, like a layer of middleware: ``serve`` gets the request and
a way to forward it, and gives the answer. Bodies of requests are whole; bodies of answers are streams.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from typing import Literal, Self

STREAM_TYPE = "text/event-stream"
Headers = tuple[tuple[str, str], ...]


class CutError(ConnectionError):
    """The connection to the client is to be closed at once, without a proper end of the answer."""


class GoneError(ConnectionError):
    """The client left, or the proxy is closing: there is nobody to answer any more."""


@dataclass(frozen=True)
class Message:
    """What requests and answers share: header fields in their order, repeated ones included."""

    headers: Headers = field(default=(), kw_only=True)

    def header(self, name: str) -> str | None:
        """Give the value of the first field of that name, whatever its case; None means that there is none."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    def with_header(self, name: str, value: str) -> Self:
        """Set the field in the place of its first occurrence, or at the end; further occurrences go."""
        wanted = name.lower()
        place = next((n for n, (key, _) in enumerate(self.headers) if key.lower() == wanted), len(self.headers))
        before, after = self.headers[:place], self.without_header(name).headers[place:]
        return replace(self, headers=(*before, (name, value), *after))

    def with_added_header(self, name: str, value: str) -> Self:
        """Add the field at the end, next to others of its name."""
        return replace(self, headers=(*self.headers, (name, value)))

    def without_header(self, name: str) -> Self:
        """Take out every field of that name."""
        return replace(self, headers=tuple(pair for pair in self.headers if pair[0].lower() != name.lower()))


def _sleep(seconds: float | None) -> None:
    """Stand in for the proxy's wait where there is no proxy, as in a unit test."""
    if seconds is None:
        raise GoneError("nobody waits for ever without a proxy")
    time.sleep(seconds)


@dataclass(frozen=True)
class Request(Message):
    """One request as the client sent it; ``Host`` already names the upstream.

    ``target`` is path and query byte for byte; ``origin`` is the proxy's own; ``connections`` is how many client
    connections were open when this one was accepted, itself included. ``framing`` holds the names, in lower case, of
    the fields that told how the body was to come and are not forwarded: ``expect``, ``transfer-encoding``.
    ``upload_s`` is how many seconds the body took to come. ``pause(seconds)`` waits, for ever with
    None, and raises GoneError as soon as the client leaves or the proxy closes.
    """

    method: str
    target: str
    body: bytes = b""
    origin: str = ""
    connections: int = 1
    framing: frozenset[str] = field(default=frozenset(), kw_only=True)
    upload_s: float = field(default=0.0, kw_only=True, compare=False)
    pause: Callable[[float | None], None] = field(default=_sleep, repr=False, compare=False)

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def with_body(self, body: bytes) -> Request:
        """Replace the body and state its new length."""
        return replace(self, body=body).with_header("Content-Length", str(len(body)))


@dataclass(frozen=True)
class Response(Message):
    """One answer: ``chunks`` is its body as it arrives, to be gone through once.

    The headers decide how the body is framed: by ``Content-Length``, else by ``Transfer-Encoding: chunked``,
    else by the end of the connection. An empty ``reason`` means the usual phrase of the status.
    """

    status: int
    chunks: Iterable[bytes] = ()
    reason: str = ""

    @classmethod
    def of(cls, status: int, body: bytes = b"", content_type: str = "application/json") -> Response:
        """Make an answer whose body is whole."""
        length = ("Content-Length", str(len(body)))
        return cls(status, (body,), headers=(("Content-Type", content_type), length) if body else (length,))

    @property
    def phrase(self) -> str:
        """The reason phrase to send."""
        known = {status.value: status.phrase for status in HTTPStatus}
        return self.reason or known.get(self.status, "")

    @property
    def is_stream(self) -> bool:
        """Whether this is an event stream, which must not be read whole."""
        return (self.header("Content-Type") or "").lower().startswith(STREAM_TYPE)

    def read(self) -> bytes:
        """Read the body to its end; raises ConnectionError or HTTPException if the upstream breaks off."""
        return b"".join(self.chunks)

    def with_body(self, body: bytes) -> Response:
        """Replace the body and state its length, whatever the framing was."""
        plain = self.without_header("Transfer-Encoding").with_header("Content-Length", str(len(body)))
        return replace(plain, chunks=(body,))

    def with_status(self, status: int) -> Response:
        """Replace the status and its phrase."""
        return replace(self, status=status, reason="")


@dataclass(frozen=True)
class Match:
    """Which requests a fault is for: the method in full, and a regex found in the path (without the query)."""

    method: str = ".*"
    path: str = ""

    def __call__(self, request: Request) -> bool:
        return bool(re.fullmatch(self.method, request.method) and re.search(self.path, request.path))


EVERYTHING = Match()
WRITES = Match("POST|PUT|PATCH|DELETE")
READS = Match("GET")
Forward = Callable[[Request], Response]


@dataclass(frozen=True)
class Fault:
    """One defect, shown on the requests that ``on`` matches and on no others; this base changes nothing."""

    on: Match = field(default=EVERYTHING, kw_only=True)

    def serve(self, request: Request, forward: Forward) -> Response:
        """Answer the request, with the help of ``forward`` or without."""
        if not self.on(request):
            return forward(request)
        changed = self.request(request)
        return changed if isinstance(changed, Response) else self.response(request, forward(changed))

    def request(self, request: Request) -> Request | Response:
        """Give the request to forward, or an answer instead of forwarding."""
        return request

    def response(self, request: Request, response: Response) -> Response:
        """Give the answer to pass on; ``request`` is the one before this fault changed it."""
        return response


NO_FAULT = Fault()


@dataclass(frozen=True)
class OnRequest(Fault):
    """A fault that changes the request, or answers it."""

    change: Callable[[Request], Request | Response]

    def request(self, request: Request) -> Request | Response:
        return self.change(request)


@dataclass(frozen=True)
class OnResponse(Fault):
    """A fault that changes the answer."""

    change: Callable[[Request, Response], Response]

    def response(self, request: Request, response: Response) -> Response:
        return self.change(request, response)


@dataclass(frozen=True)
class _Together(Fault):
    faults: tuple[Fault, ...]

    def serve(self, request: Request, forward: Forward) -> Response:
        for fault in reversed(self.faults):
            forward = partial(fault.serve, forward=forward)
        return forward(request)


def together(*faults: Fault) -> Fault:
    """Lay faults over one another: the first is nearest to the client, the last nearest to the server."""
    return _Together(faults)


@dataclass(frozen=True)
class _EveryNth(Fault):
    fault: Fault
    n: int
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1), compare=False)

    def serve(self, request: Request, forward: Forward) -> Response:
        if not self.fault.on(request) or next(self.numbers) % self.n:
            return forward(request)
        return self.fault.serve(request, forward)


def every_nth(n: int, fault: Fault) -> Fault:
    """Show the fault on each nth of the requests that it matches, counted from the start."""
    return _EveryNth(fault, n)


@dataclass(frozen=True)
class CataloguedFault:
    """A fault with what it proves: the contracts it must kill, and the cause that they must then name.

    ``reason`` is a regex over the cause of the verdict. ``make`` gives a fresh fault, since some remember.
    ``via`` says what the fault proxy stands for: the Letta URL ("target"), the URL of the SSE proxy ("proxy") or that
    of a second server ("second").
    """

    name: str
    kills: tuple[str, ...]
    reason: str
    make: Callable[[], Fault]
    via: Literal["target", "proxy", "second"] = "target"
