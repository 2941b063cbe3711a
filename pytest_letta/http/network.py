"""httpcore's network streams, bounded by the deadline of the request that they serve."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

from pytest_letta.http.deadline import Timeout

#: A large body goes out in pieces, so that a peer who reads it drop by drop meets the deadline too.
_WRITE_SIZE = 64 * 1024


def _left(timeout: float | None, error: type[Exception]) -> float | None:
    if not isinstance(timeout, Timeout):
        return timeout
    left = timeout.deadline.left_s(timeout)
    if left <= 0:
        raise error("timed out")
    return left


class BoundedStream(httpcore.NetworkStream):
    """A network stream whose operations end at the deadline of the request that they serve.

    `is_spent`: the connection must not serve another request, because the server may drop it without a word.
    """

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner
        self.is_spent = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _WRITE_SIZE):
            piece = buffer[start : start + _WRITE_SIZE]
            self._inner.write(piece, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return BoundedStream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        # An idle connection that is readable has been closed by the server: the pool drops it.
        if info == "is_readable" and self.is_spent:
            return True
        return self._inner.get_extra_info(info)


class BoundedBackend(httpcore.NetworkBackend):
    """Open connections as httpcore does, and bound them. A name that resolves slowly is not interrupted."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return BoundedStream(self._inner.connect_tcp(host, port, left, local_address, socket_options))


class AsyncBoundedStream(httpcore.AsyncNetworkStream):
    """The asynchronous twin of BoundedStream."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        self.is_spent = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _WRITE_SIZE):
            piece = buffer[start : start + _WRITE_SIZE]
            await self._inner.write(piece, _left(timeout, httpcore.WriteTimeout))

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return AsyncBoundedStream(await self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable" and self.is_spent:
            return True
        return self._inner.get_extra_info(info)


class AsyncBoundedBackend(httpcore.AsyncNetworkBackend):
    """The asynchronous twin of BoundedBackend."""

    def __init__(self) -> None:
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        stream = await self._inner.connect_tcp(host, port, left, local_address, socket_options)
        return AsyncBoundedStream(stream)
