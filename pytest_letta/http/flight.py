"""What is decided, kept and said about one request while it is on its way; no I/O."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

import httpcore
import httpx

from pytest_letta.errors import ReadOnlyError
from pytest_letta.exchange import BODY_LIMIT, PLACEHOLDER, Exchange
from pytest_letta.http.deadline import Deadline, Timeout
from pytest_letta.http.recorder import Recorder

#: Seconds of silence that give the stall away: the time after which asyncpg gives up on a connection.
STALL_S: Final = 60.0
STALL: Final = (
    "60-second stall: asyncio + NullPool fd reuse; install uvloop or set "
    "LETTA_DISABLE_SQLALCHEMY_POOLING=false (a Postgres that does not answer looks the same)"
)

_CREDENTIALS = frozenset({b"authorization", b"x-bare-password"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_PHASES = ("connect", "read", "write", "pool")
_ERROR_NAMES = (
    *("TimeoutException", "ConnectTimeout", "ReadTimeout", "WriteTimeout", "PoolTimeout"),
    *("NetworkError", "ConnectError", "ReadError", "WriteError"),
    *("ProtocolError", "LocalProtocolError", "RemoteProtocolError", "ProxyError", "UnsupportedProtocol"),
)
_ERRORS: dict[type[Exception], type[httpx.TransportError]] = {
    getattr(httpcore, name): getattr(httpx, name) for name in _ERROR_NAMES
}
CORE_ERRORS: Final = tuple(_ERRORS)

RawHeaders = list[tuple[bytes, bytes]]


class Rules:
    """What holds for every request of one client: which origins get the token, and how long all may take.

    A request with an `Authorization` or `X-BARE-PASSWORD` of its own gets no token; an empty
    `Authorization` sends none at all. To another origin no credentials go, whoever set them: also not after
    a redirect.
    """

    def __init__(
        self,
        origins: Iterable[httpx.URL],
        token: str | None,
        timeout_s: float,
        recorder: Recorder,
        *,
        read_only: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.origins = frozenset((url.raw_scheme, url.raw_host, url.port) for url in origins)
        self.timeout_s = timeout_s
        self.recorder = recorder
        self.read_only = read_only
        self.clock = clock
        self._authorization = _encoded(f"Bearer {token}") if token else None

    def headers(self, request: httpx.Request) -> tuple[RawHeaders, bool]:
        """Return the headers to send without the token, and whether the token is to be added."""
        headers = request.headers.raw
        own = [value for name, value in headers if name.lower() in _CREDENTIALS]
        url = request.url
        if (url.raw_scheme, url.raw_host, url.port) not in self.origins or (own and not any(own)):
            return [pair for pair in headers if pair[0].lower() not in _CREDENTIALS], False
        return headers, not own and self._authorization is not None

    def launch(self, request: httpx.Request) -> tuple[httpcore.Request, Flight]:
        """Return the request as it is sent, and what records it.

        Raise ReadOnlyError when only safe methods may be sent and this is another.
        """
        if self.read_only and request.method not in _SAFE:
            what = f"{request.method} {self.recorder.redactor.url(str(request.url))}"
            raise ReadOnlyError(f"{what} was not sent: this run only reads; leave out --letta-read-only.")
        headers, with_token = self.headers(request)
        flight = Flight(self, request, headers, with_token)
        if with_token and self._authorization is not None:
            headers = [*headers, (b"Authorization", self._authorization)]
        url = request.url
        core = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=headers,
            content=request.stream,
            extensions={**request.extensions, "timeout": self._timeouts(request, flight.deadline)},
        )
        return core, flight

    def total_s(self, request: httpx.Request) -> float:
        """Return the bound of a request: the longest of its time-outs, the client's when it has none."""
        given = [value for value in request.extensions.get("timeout", {}).values() if value is not None]
        return max(given, default=self.timeout_s)

    def _timeouts(self, request: httpx.Request, deadline: Deadline) -> dict[str, Timeout]:
        given = request.extensions.get("timeout", {})
        values = (given.get(phase) for phase in _PHASES)
        bounds = (deadline.total_s if value is None else value for value in values)
        return {phase: Timeout.of(bound, deadline) for phase, bound in zip(_PHASES, bounds, strict=True)}


def _url(request: httpx.Request) -> str:
    """Return the URL as it was sent: httpcore sends the extension "target" as it is, which httpx would tidy up."""
    target = request.extensions.get("target")
    if target is None:
        return str(request.url)
    return str(request.url.copy_with(raw_path=b"/")).removesuffix("/") + bytes(target).decode("latin-1")


def _encoded(text: str) -> bytes:
    """Encode a header as Starlette decodes it; what does not fit there cannot be a password of Letta anyway."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


class Flight:
    """One request on its way. Whoever sends it reports the head, the chunks and the end."""

    def __init__(self, rules: Rules, request: httpx.Request, headers: RawHeaders, with_token: bool) -> None:
        self.deadline = Deadline(rules.total_s(request), rules.clock)
        self.sent = Kept()
        self.received = Kept()
        self._rules = rules
        self._request = request
        self._request_headers = headers
        self._with_token = with_token
        self._status: int | None = None
        self._response_headers: RawHeaders = []
        self._number = rules.recorder.begin()
        self._start = self._last = rules.clock()
        self._silence = 0.0
        self._answered_s: float | None = None
        self._is_over = False

    def head(self, status: int, headers: RawHeaders) -> None:
        """Note the head of the answer."""
        self._status, self._response_headers = status, headers
        self._hear()
        self._answered_s = self._last - self._start

    def chunk(self, data: bytes) -> None:
        """Note bytes of the body of the answer."""
        self._hear()
        self.received.add(data)

    def fail(self, error: Exception) -> httpx.TransportError:
        """End with an error of httpcore and return the error of httpx to raise from it."""
        kind = next(_ERRORS[each] for each in type(error).__mro__ if each in _ERRORS)
        text = str(error) or kind.__name__
        if issubclass(kind, httpx.TimeoutException) and self.deadline.is_over:
            total = self.deadline.total_s
            text = f"{self._request.method} {self._request.url}: no complete answer within {total:g} s"
        found = kind(self._rules.recorder.redactor.url(text), request=self._request)
        diagnosis = self.end(f"{kind.__name__}: {text}")
        if diagnosis is not None:
            found.add_note(diagnosis)
        return found

    def end(self, error: str | None = None, *, is_complete: bool = False) -> str | None:
        """Record the exchange, the first time that this is called, and return its diagnosis."""
        if self._is_over:
            return None
        self._is_over = True
        self._hear()
        diagnosis = STALL if self._silence >= STALL_S else None
        self._rules.recorder.add(self._exchange(error, is_complete, diagnosis))
        return diagnosis

    def _hear(self) -> None:
        now = self._rules.clock()
        self._silence = max(self._silence, now - self._last)
        self._last = now

    def _exchange(self, error: str | None, is_complete: bool, diagnosis: str | None) -> Exchange:
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._request_headers]
        if self._with_token:
            headers.append(("Authorization", f"Bearer {PLACEHOLDER}"))
        return Exchange(
            method=self._request.method,
            url=_url(self._request),
            request_headers=tuple(headers),
            request_body=bytes(self.sent.data),
            status=self._status,
            response_headers=tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in self._response_headers),
            body=bytes(self.received.data),
            elapsed_s=self._last - self._start,
            error=error,
            request_size=self.sent.size,
            body_size=self.received.size,
            answered_s=self._answered_s,
            is_complete=is_complete,
            diagnosis=diagnosis,
            number=self._number,
        )


class Kept:
    """The first BODY_LIMIT bytes of a body, and its size."""

    __slots__ = ("data", "size")

    def __init__(self) -> None:
        self.data = bytearray()
        self.size = 0

    def add(self, chunk: bytes) -> None:
        """Take the next bytes."""
        room = BODY_LIMIT - self.size
        self.size += len(chunk)
        if room > 0:
            self.data += chunk[:room]
