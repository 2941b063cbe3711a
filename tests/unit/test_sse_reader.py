"""The stream readers are bounded in total time and say what they saw."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest

from pytest_letta.errors import StreamError
from pytest_letta.sse import Event, aread_stream, read_stream

REQUEST = httpx.Request("POST", "http://letta.test/stream")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Chunks(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Give out bytes, advance the clock on numbers, raise what is an exception."""

    def __init__(self, clock: Clock, *script: bytes | float | Exception) -> None:
        self.clock = clock
        self.script = script

    def __iter__(self) -> Iterator[bytes]:
        for step in self.script:
            if isinstance(step, bytes):
                yield step
            elif isinstance(step, Exception):
                raise step
            else:
                self.clock.now += step

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


#: The data of the events, the leftover, and the error that ended the reading.
Outcome = tuple[list[str], str | None, Exception | None]
Read = Callable[[httpx.Response, float, Clock], Outcome]


def read_sync(
    response: httpx.Response, deadline_s: float, clock: Clock
) -> tuple[list[str], str | None, Exception | None]:
    stream = read_stream(response, deadline_s=deadline_s, clock=clock)
    seen: list[str] = []
    try:
        seen.extend(item.data for item in stream if isinstance(item, Event))
    except Exception as exc:
        return seen, stream.leftover, exc
    return seen, stream.leftover, None


def read_async(
    response: httpx.Response, deadline_s: float, clock: Clock
) -> tuple[list[str], str | None, Exception | None]:
    async def run() -> Outcome:
        stream = aread_stream(response, deadline_s=deadline_s, clock=clock)
        seen: list[str] = []
        try:
            async for item in stream:
                if isinstance(item, Event):
                    seen.append(item.data)
        except Exception as exc:
            return seen, stream.leftover, exc
        return seen, stream.leftover, None

    return asyncio.run(run())


@pytest.fixture(params=[read_sync, read_async])
def read(request: pytest.FixtureRequest) -> Read:
    result: Read = request.param
    return result


def response(stream: Chunks) -> httpx.Response:
    return httpx.Response(200, stream=stream, request=REQUEST)


def test_events_carry_the_time_of_their_chunk() -> None:
    clock = Clock()
    chunks = Chunks(clock, 1.0, b"data: a\n\nda", 2.0, b"ta: b\n\n")

    events = list(read_stream(response(chunks), deadline_s=10, clock=clock))

    assert [(e.data, e.at) for e in events if isinstance(e, Event)] == [("a", 1.0), ("b", 3.0)]


def test_clean_end_leaves_nothing_over(read: Read) -> None:
    clock = Clock()

    assert read(response(Chunks(clock, b"data: a\n\n")), 10, clock) == (["a"], "", None)


def test_unfinished_event_is_left_over(read: Read) -> None:
    clock = Clock()

    assert read(response(Chunks(clock, b"data: a\n\n", b"data: b")), 10, clock) == (["a"], "data: b", None)


def test_drip_fed_stream_ends_at_the_deadline(read: Read) -> None:
    clock = Clock()
    drips: list[bytes | float] = [b": still there\n", 3.0] * 10

    seen, _, error = read(response(Chunks(clock, b"data: a\n\n", *drips)), 10, clock)

    assert seen == ["a"]
    assert isinstance(error, StreamError)
    assert "POST http://letta.test/stream did not end within 10 s: 5 events and comments came" in str(error)


def test_silence_until_the_time_out_of_the_client_is_a_stream_error(read: Read) -> None:
    clock = Clock()
    chunks = Chunks(clock, b"data: a\n\nda", 5.0, httpx.ReadTimeout("timed out"))

    seen, leftover, error = read(response(chunks), 10, clock)

    assert (seen, leftover) == (["a"], "da")
    assert isinstance(error, StreamError)
    assert "then 5.0 s of silence" in str(error)


def test_cut_connection_stays_an_error_of_httpx_and_shows_what_was_left(read: Read) -> None:
    clock = Clock()
    cut = httpx.RemoteProtocolError("peer closed connection")

    assert (["a"], "data: b", cut) == read(response(Chunks(clock, b"data: a\n\ndata: b", cut)), 10, clock)


def test_error_of_the_last_chunk_is_not_lost(read: Read) -> None:
    clock = Clock()
    chunks = Chunks(clock, b"data: a\n\ndata: " + b"x" * (9 * 1024 * 1024))

    seen, _, error = read(response(chunks), 10, clock)

    assert seen == ["a"]
    assert isinstance(error, StreamError)
