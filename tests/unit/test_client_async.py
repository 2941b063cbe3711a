"""The asynchronous client keeps the same rules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from local_server import Call, serving

from pytest_letta.client import Recorder, open_async_client
from pytest_letta.errors import StreamError
from pytest_letta.sse import Event, aread_stream

TOKEN = "s3cret-of-the-deployment"


def ok(call: Call) -> None:
    call.answer(200, {"path": call.path})


def run(url: str, work: Callable[[httpx.AsyncClient], Awaitable[None]], timeout_s: float = 30) -> Recorder:
    recorder = Recorder()

    async def main() -> None:
        async with open_async_client(url, TOKEN, timeout_s, recorder) as client:
            await work(client)

    asyncio.run(main())
    return recorder


def test_token_stays_at_its_origin() -> None:
    with serving(ok) as other, serving(lambda call: call.answer(307, location=other.url)) as server:

        async def work(client: httpx.AsyncClient) -> None:
            await client.get("/", follow_redirects=True)

        recorder = run(server.url, work)

    assert f"Bearer {TOKEN}" == server.asked[0].headers["authorization"]
    assert "authorization" not in other.asked[0].headers
    assert [exchange.status for exchange in recorder.exchanges] == [307, 200]
    assert TOKEN not in repr([exchange.request_headers for exchange in recorder.exchanges])


def test_many_requests_at_once_are_recorded() -> None:
    async def work(client: httpx.AsyncClient) -> None:
        await asyncio.gather(*(client.post(f"/{n}", json={"n": n}) for n in range(50)))

    with serving(ok) as server:
        recorder = run(server.url, work)

    bodies = {exchange.url.rpartition("/")[2]: exchange.request_body for exchange in recorder.exchanges}
    assert {str(n): b'{"n":%d}' % n for n in range(50)} == bodies


def test_body_that_is_made_on_the_way_is_recorded() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    async def work(client: httpx.AsyncClient) -> None:
        await client.post("/", content=parts())

    with serving(ok) as server:
        recorder = run(server.url, work)

    assert b"one two" == recorder.exchanges[0].request_body == server.asked[0].body


def drip(call: Call) -> None:
    call.start_stream()
    call.wfile.write(b"data: 1\n\n")
    call.drip(b": still there\n")


@pytest.mark.parametrize("respond", [Call.hang, drip])
def test_hostile_server_ends_in_a_read_timeout(respond: Callable[[Call], None]) -> None:
    async def work(client: httpx.AsyncClient) -> None:
        with pytest.raises(httpx.ReadTimeout, match=r"no complete answer within 0\.25 s"):
            await client.get("/")

    with serving(respond) as server:
        recorder = run(server.url, work, timeout_s=0.25)

    assert (recorder.exchanges[0].error or "").startswith("ReadTimeout")


def test_stream_is_read_within_its_bound() -> None:
    seen: list[str] = []

    async def work(client: httpx.AsyncClient) -> None:
        async with client.stream("GET", "/") as response:
            async for item in aread_stream(response, deadline_s=0.3):
                if isinstance(item, Event):
                    seen.append(item.data)

    with serving(drip) as server, pytest.raises(StreamError, match=r"did not end within 0\.3 s"):
        run(server.url, work)

    assert seen == ["1"]


def test_connection_is_not_used_again_after_a_server_error() -> None:
    async def work(client: httpx.AsyncClient) -> None:
        for path in ("/a", "/b", "/error", "/c"):
            await client.get(path)

    with serving(lambda call: call.answer(500 if call.path == "/error" else 200)) as server:
        run(server.url, work)

    first, second, third, fourth = (asked.port for asked in server.asked)
    assert first == second == third != fourth


def test_cancelled_request_is_recorded() -> None:
    async def work(client: httpx.AsyncClient) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await client.get("/")

    with serving(Call.hang) as server:
        recorder = run(server.url, work)

    assert "CancelledError" in (recorder.exchanges[0].error or "")
