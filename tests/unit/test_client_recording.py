"""Each exchange is recorded, bounded, in order, without standing in the way of the bytes."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from local_server import Call, serving

from pytest_letta.client import Recorder, open_client
from pytest_letta.exchange import BODY_LIMIT, Exchange


def ok(call: Call) -> None:
    call.answer(200, {"path": call.path}, x_two="2")


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def test_exchange_holds_what_was_sent_and_what_came_back(recorder: Recorder) -> None:
    with serving(ok) as server, open_client(server.url, recorder=recorder) as client:
        client.post("/v1/agents/?a=b", json={"name": "x"})

    (exchange,) = recorder.exchanges
    assert ("POST", f"{server.url}/v1/agents/?a=b") == (exchange.method, exchange.url)
    assert exchange.request_body == b'{"name":"x"}'
    assert (exchange.status, exchange.body) == (200, b'{"path": "/v1/agents/?a=b"}')
    assert (exchange.header("X-Two"), exchange.header("content-type")) == ("2", "application/json")
    assert (exchange.error, exchange.diagnosis, exchange.is_complete, exchange.number) == (None, None, True, 1)
    assert exchange.answered_s is not None
    assert 0 < exchange.answered_s <= exchange.elapsed_s


def test_bodies_are_kept_up_to_the_bound_and_their_sizes_are_known(recorder: Recorder) -> None:
    size = 3 * BODY_LIMIT
    with (
        serving(lambda call: call.answer(200, b"a" * size)) as server,
        open_client(server.url, recorder=recorder) as client,
    ):
        answer = client.post("/", content=b"b" * size)

    (exchange,) = recorder.exchanges
    assert size == len(answer.content) == exchange.body_size == exchange.request_size
    assert (exchange.body, exchange.request_body) == (b"a" * BODY_LIMIT, b"b" * BODY_LIMIT)


def test_bodies_that_are_made_on_the_way_are_recorded_too(recorder: Recorder) -> None:
    def parts() -> Iterator[bytes]:
        yield b"one "
        yield b"two"

    with serving(ok) as server, open_client(server.url, recorder=recorder) as client:
        client.post("/", content=parts())
        client.post("/", files={"file": ("x.af", b"{}")})

    streamed, multipart = recorder.exchanges
    assert b"one two" == streamed.request_body == server.asked[0].body
    assert server.asked[1].body == multipart.request_body
    assert b'name="file"; filename="x.af"' in multipart.request_body


def test_packed_answers_are_shown_unpacked(recorder: Recorder) -> None:
    packed = gzip.compress(b'{"a": 1}')
    with (
        serving(lambda call: call.answer(200, packed, content_encoding="gzip")) as server,
        open_client(server.url, recorder=recorder) as client,
    ):
        answer = client.get("/")

    assert answer.json() == {"a": 1}
    assert recorder.exchanges[0].text == '{"a": 1}'


def test_chunks_of_a_stream_are_not_held_back(recorder: Recorder) -> None:
    has_first = threading.Event()
    waited = []

    def stream(call: Call) -> None:
        call.start_stream()
        call.wfile.write(b"data: 1\n\n")
        waited.append(has_first.wait(10))
        call.wfile.write(b"data: 2\n\n")

    with (
        serving(stream) as server,
        open_client(server.url, recorder=recorder) as client,
        client.stream("GET", "/") as response,
    ):
        chunks = response.iter_bytes()
        assert next(chunks) == b"data: 1\n\n"
        has_first.set()
        assert list(chunks) == [b"data: 2\n\n"]

    assert waited == [True]
    assert recorder.exchanges[0].body == b"data: 1\n\ndata: 2\n\n"


def test_stream_that_is_left_early_is_recorded_as_incomplete(recorder: Recorder) -> None:
    def stream(call: Call) -> None:
        call.start_stream()
        call.drip(b"data: 1\n\n")

    with (
        serving(stream) as server,
        open_client(server.url, recorder=recorder) as client,
        client.stream("GET", "/") as response,
    ):
        next(response.iter_bytes())

    (exchange,) = recorder.exchanges
    assert (exchange.status, exchange.error, exchange.is_complete) == (200, None, False)


def test_exchanges_of_many_threads_are_all_there_in_the_order_of_their_start(recorder: Recorder) -> None:
    with serving(ok) as server, open_client(server.url, recorder=recorder) as client, ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda n: client.get(f"/{n}").status_code, range(200)))

    assert statuses == [200] * 200
    assert list(range(1, 201)) == [exchange.number for exchange in recorder.exchanges]
    assert {f"{server.url}/{n}" for n in range(200)} == {exchange.url for exchange in recorder.exchanges}
    assert all(
        f'"{exchange.url.rpartition("/")[2]}"' in exchange.text.replace("/", "") for exchange in recorder.exchanges
    )


def test_mark_separates_what_came_before(recorder: Recorder) -> None:
    with serving(ok) as server, open_client(server.url, recorder=recorder) as client:
        client.get("/before")
        mark = recorder.mark()
        client.get("/after")

    assert [f"{server.url}/after"] == [exchange.url for exchange in recorder.since(mark)]
    assert len(recorder.exchanges) == 2


def test_recorder_forgets_the_oldest_when_it_is_full() -> None:
    by_count, by_size = Recorder(keep=2), Recorder(keep_bytes=25)
    for recorder in (by_count, by_size):
        for _ in range(4):
            recorder.add(Exchange("GET", "http://letta.test", body=b"0123456789", number=recorder.begin()))

    assert [exchange.number for exchange in by_count.exchanges] == [3, 4]
    assert [exchange.number for exchange in by_size.exchanges] == [3, 4]
