"""Read an event stream from a response, bounded in total time."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_letta.decoder import Comment, Decoder, Event
from pytest_letta.errors import StreamError
from pytest_letta.http.deadline import Deadline

if TYPE_CHECKING:
    import httpx

__all__ = [
    "AsyncEventStream",
    "Comment",
    "Decoder",
    "Event",
    "EventStream",
    "aread_stream",
    "read_stream",
]


class _Reading:
    """What both readers keep: the decoder, the bound, and what a late stream is told with.

    `leftover` is None while the stream runs, then the text that no blank line completed ("" after a clean
    end).
    """

    def __init__(self, response: httpx.Response, deadline_s: float, clock: Callable[[], float]) -> None:
        self.decoder = Decoder()
        self.leftover: str | None = None
        self._response = response
        self._deadline_s = deadline_s
        self._clock = clock
        self._end = clock() + deadline_s
        self._count = 0
        self._last_at = clock()
        deadline = response.extensions.get("deadline")
        if isinstance(deadline, Deadline):
            deadline.restart(deadline_s)

    def _take(self, chunk: bytes) -> list[Event | Comment]:
        now = self._clock()
        if now > self._end:
            raise self._late()
        found = self.decoder.feed(chunk, now)
        if found:
            self._last_at = now
            self._count += len(found)
        return found

    def _late(self) -> StreamError:
        silence = self._clock() - self._last_at
        return StreamError(
            f"the stream of {self._response.request.method} {self._response.request.url} did not end within "
            f"{self._deadline_s:g} s: {self._count} events and comments came, then {silence:.1f} s of silence"
        )

    def _broken(self) -> None:
        with suppress(StreamError):
            self.leftover = self.decoder.close()


class EventStream(_Reading, Iterator[Event | Comment]):
    """The events and comments of a response, as they come. Made by `read_stream`."""

    def __init__(self, response: httpx.Response, deadline_s: float, clock: Callable[[], float]) -> None:
        super().__init__(response, deadline_s, clock)
        self._items = self._read()

    def __next__(self) -> Event | Comment:
        return next(self._items)

    def _read(self) -> Iterator[Event | Comment]:
        import httpx

        try:
            for chunk in self._response.iter_bytes():
                yield from self._take(chunk)
        except httpx.TimeoutException as exc:
            self._broken()
            raise self._late() from exc
        except Exception:
            self._broken()
            raise
        self.leftover = self.decoder.close()


class AsyncEventStream(_Reading, AsyncIterator[Event | Comment]):
    """The asynchronous twin of EventStream. Made by `aread_stream`."""

    def __init__(self, response: httpx.Response, deadline_s: float, clock: Callable[[], float]) -> None:
        super().__init__(response, deadline_s, clock)
        self._items = self._read()

    async def __anext__(self) -> Event | Comment:
        return await anext(self._items)

    async def _read(self) -> AsyncIterator[Event | Comment]:
        import httpx

        try:
            async for chunk in self._response.aiter_bytes():
                for item in self._take(chunk):
                    yield item
        except httpx.TimeoutException as exc:
            self._broken()
            raise self._late() from exc
        except Exception:
            self._broken()
            raise
        self.leftover = self.decoder.close()


def read_stream(
    response: httpx.Response, *, deadline_s: float, clock: Callable[[], float] = time.monotonic
) -> EventStream:
    """Read the events of a response that was opened with `client.stream(...)`.

    `deadline_s` bounds the stream from now to its end, and takes the place of what is left of the request's
    own time-out when the response comes from a client of ours. Over a client of somebody else the deadline
    is looked at whenever bytes come, and a silent server is bounded by that client's read time-out.

    Raise StreamError when the stream is not over in time, or has a line or an event that is too long;
    httpx's own errors pass through, such as RemoteProtocolError for a stream that was cut. What came before
    an error has been given out. Comments are given out too: a proxy or a server may send them as a sign of
    life.
    """
    return EventStream(response, deadline_s, clock)


def aread_stream(
    response: httpx.Response, *, deadline_s: float, clock: Callable[[], float] = time.monotonic
) -> AsyncEventStream:
    """Read the events of a response of an asynchronous client; otherwise as `read_stream`."""
    return AsyncEventStream(response, deadline_s, clock)
