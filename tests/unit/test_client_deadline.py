"""Every request is bounded in total time, whatever the server does."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import httpx
import pytest
from local_server import Call, serving

from pytest_letta.client import STALL, Recorder, open_client
from pytest_letta.errors import StreamError
from pytest_letta.sse import Event, read_stream

BOUND_S = 0.25


def drip_the_head(call: Call) -> None:
    call.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
    call.drip(b"x")


def drip_the_body(call: Call) -> None:
    call.start_stream()
    call.drip(b": still there\n")


def hang_in_the_body(call: Call) -> None:
    call.start_stream()
    call.hang()


@pytest.mark.parametrize("respond", [Call.hang, drip_the_head, drip_the_body, hang_in_the_body])
def test_hostile_server_ends_in_a_read_timeout(respond: Callable[[Call], None]) -> None:
    recorder = Recorder()
    with (
        serving(respond) as server,
        open_client(server.url, timeout_s=BOUND_S, recorder=recorder) as client,
        pytest.raises(httpx.ReadTimeout, match=r"GET http://.*/x: no complete answer within 0\.25 s") as raised,
    ):
        client.get("/x")

    (exchange,) = recorder.exchanges
    assert str(raised.value) in (exchange.error or "")
    assert not exchange.is_complete
    assert raised.value.request.url.path == "/x"


def test_server_that_does_not_read_ends_in_a_write_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with open_client(url, timeout_s=BOUND_S) as client, pytest.raises(httpx.WriteTimeout):
            client.post("/", content=b"x" * 50_000_000)


def test_time_out_of_a_request_replaces_the_one_of_the_client() -> None:
    with (
        serving(Call.hang) as server,
        open_client(server.url, timeout_s=1000) as client,
        pytest.raises(httpx.ReadTimeout, match=r"within 0\.25 s"),
    ):
        client.get("/", timeout=BOUND_S)


def test_longest_of_several_time_outs_is_the_bound() -> None:
    with (
        serving(drip_the_body) as server,
        open_client(server.url, timeout_s=1000) as client,
        pytest.raises(httpx.ReadTimeout, match=r"within 0\.25 s"),
    ):
        client.get("/", timeout=httpx.Timeout(None, connect=0.1, read=BOUND_S))


def test_request_without_time_outs_has_the_bound_of_the_client() -> None:
    with (
        serving(Call.hang) as server,
        open_client(server.url, timeout_s=BOUND_S) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.get("/", timeout=None)


def test_stream_reader_sets_the_bound_of_its_stream() -> None:
    with (
        serving(drip_the_body) as server,
        open_client(server.url, timeout_s=1000) as client,
        client.stream("GET", "/") as response,
        pytest.raises(StreamError, match=r"did not end within 0\.25 s"),
    ):
        list(read_stream(response, deadline_s=BOUND_S))


def test_stream_may_last_longer_than_the_time_out_of_its_client() -> None:
    def slow(call: Call) -> None:
        call.start_stream()
        for _ in range(4):
            call.server.closing.wait(0.15)
            call.wfile.write(b"data: x\n\n")

    with (
        serving(slow) as server,
        open_client(server.url, timeout_s=0.3) as client,
        client.stream("GET", "/") as response,
    ):
        events = list(read_stream(response, deadline_s=30))

    assert len([event for event in events if isinstance(event, Event)]) == 4


def test_refused_connection_is_recorded() -> None:
    recorder = Recorder()
    with serving(Call.hang) as server:
        pass
    with open_client(server.url, recorder=recorder) as client, pytest.raises(httpx.ConnectError):
        client.get("/")

    assert recorder.exchanges[0].error == "ConnectError: [Errno 111] Connection refused"


class Clock:
    """A clock that a server in this process can put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


@pytest.mark.parametrize(("silence_s", "diagnosis"), [(61, STALL), (30, None)])
def test_answer_after_a_minute_of_silence_has_its_diagnosis(silence_s: float, diagnosis: str | None) -> None:
    clock, recorder = Clock(), Recorder()

    def stall(call: Call) -> None:
        clock.ahead += silence_s
        call.answer(200, {})

    with serving(stall) as server, open_client(server.url, timeout_s=200, recorder=recorder, clock=clock) as client:
        client.get("/")

    assert diagnosis == recorder.exchanges[0].diagnosis


def test_long_answer_without_a_long_silence_has_no_diagnosis() -> None:
    clock, recorder = Clock(), Recorder()

    def talk(call: Call) -> None:
        call.start_stream()
        for _ in range(3):
            clock.ahead += 40
            call.wfile.write(b": ping\n")
            call.server.closing.wait(0.1)  # so that each line is a chunk of its own

    with serving(talk) as server, open_client(server.url, timeout_s=200, recorder=recorder, clock=clock) as client:
        client.get("/")

    assert recorder.exchanges[0].elapsed_s > 100
    assert recorder.exchanges[0].diagnosis is None


def test_error_after_a_minute_of_silence_has_its_diagnosis_as_a_note() -> None:
    clock, recorder = Clock(), Recorder()

    def drop(call: Call) -> None:
        clock.ahead += 61
        call.close_connection = True

    with (
        serving(drop) as server,
        open_client(server.url, timeout_s=200, recorder=recorder, clock=clock) as client,
        pytest.raises(httpx.RemoteProtocolError) as raised,
    ):
        client.get("/")

    assert raised.value.__notes__ == [STALL]
    assert recorder.exchanges[0].diagnosis == STALL
