"""httpx transports over httpcore that bound, authorize and record each request."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpcore
import httpx

from pytest_letta.http.flight import CORE_ERRORS, Flight, Rules
from pytest_letta.http.network import AsyncBoundedBackend, AsyncBoundedStream, BoundedBackend, BoundedStream

#: A Letta server closes idle connections after 5 s (uvicorn's default); a pooled one must go before that.
KEEPALIVE_S = 2.0


class RecordingTransport(httpx.BaseTransport):
    """The transport of a synchronous client."""

    def __init__(self, rules: Rules, ssl_context: ssl.SSLContext | None = None) -> None:
        self._rules = rules
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context,
            max_connections=None,  # a contract that opens many connections must not wait for our own pool
            keepalive_expiry=KEEPALIVE_S,
            network_backend=BoundedBackend(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the body of the answer is recorded as it is read."""
        outgoing, flight = self._rules.launch(request)
        outgoing.stream = _sent(request, flight)
        try:
            answer = self._pool.handle_request(outgoing)
        except CORE_ERRORS as exc:
            raise flight.fail(exc) from exc
        except BaseException as exc:
            flight.end(_name(exc))
            raise
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(answer, flight),
            extensions=_answered(answer, flight),
        )

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


class AsyncRecordingTransport(httpx.AsyncBaseTransport):
    """The transport of an asynchronous client."""

    def __init__(self, rules: Rules, ssl_context: ssl.SSLContext | None = None) -> None:
        self._rules = rules
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context,
            max_connections=None,
            keepalive_expiry=KEEPALIVE_S,
            network_backend=AsyncBoundedBackend(),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the body of the answer is recorded as it is read."""
        outgoing, flight = self._rules.launch(request)
        outgoing.stream = _sent_async(request, flight)
        try:
            answer = await self._pool.handle_async_request(outgoing)
        except CORE_ERRORS as exc:
            raise flight.fail(exc) from exc
        except BaseException as exc:
            flight.end(_name(exc))
            raise
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_AsyncBody(answer, flight),
            extensions=_answered(answer, flight),
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response, flight: Flight) -> None:
        self._stream: Any = answer.stream
        self._flight = flight

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._stream:
                self._flight.chunk(chunk)
                yield chunk
        except CORE_ERRORS as exc:
            raise self._flight.fail(exc) from exc
        self._flight.end(is_complete=True)

    def close(self) -> None:
        self._stream.close()
        self._flight.end()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response, flight: Flight) -> None:
        self._stream: Any = answer.stream
        self._flight = flight

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                self._flight.chunk(chunk)
                yield chunk
        except CORE_ERRORS as exc:
            raise self._flight.fail(exc) from exc
        self._flight.end(is_complete=True)

    async def aclose(self) -> None:
        await self._stream.aclose()
        self._flight.end()


def _answered(answer: httpcore.Response, flight: Flight) -> dict[str, Any]:
    """Note the head of an answer, and give the extensions of the response."""
    flight.head(answer.status, answer.headers)
    connection = answer.extensions.get("network_stream")
    if answer.status >= 500 and isinstance(connection, BoundedStream | AsyncBoundedStream):
        # Letta drops the connection after an unhandled error without announcing it (seen with 0.11.7 to
        # 0.16.8): the next request over it would fail for no fault of its own.
        connection.is_spent = True
    return {**answer.extensions, "deadline": flight.deadline}


def _sent(request: httpx.Request, flight: Flight) -> Any:
    """Record the body that is sent: at once when it is known, while it goes out when it is made on the way."""
    try:
        flight.sent.add(request.content)
    except httpx.RequestNotRead:
        return _recorded(request.stream, flight)
    return request.stream


def _sent_async(request: httpx.Request, flight: Flight) -> Any:
    try:
        flight.sent.add(request.content)
    except httpx.RequestNotRead:
        return _recorded_async(request.stream, flight)
    return request.stream


def _recorded(stream: Any, flight: Flight) -> Iterator[bytes]:
    for chunk in stream:
        flight.sent.add(chunk)
        yield chunk


async def _recorded_async(stream: Any, flight: Flight) -> AsyncIterator[bytes]:
    async for chunk in stream:
        flight.sent.add(chunk)
        yield chunk


def _name(exc: BaseException) -> str:
    return f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__
