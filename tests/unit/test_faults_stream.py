"""Each fault of event streams does what it says, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from http.client import IncompleteRead

import pytest
from faults_upstream import Handler, Outcome, Reply, Seen, Stream, Wire, serving, through

from pytest_letta.faults import stream
from pytest_letta.faults.events import Block, any_event, is_error, is_of_type, split
from pytest_letta.faults.fault import NO_FAULT, Fault, Match
from pytest_letta.faults.proxy import FaultProxy

PING = b'data: {"message_type": "ping", "seq_id": null}\n\n'
A = b'data: {"message_type":"assistant_message","seq_id":1,"content":"Hel"}\n\n'
B = b'data: {"message_type":"assistant_message","seq_id":2,"content":[{"type":"text","text":"lo"}]}\n\n'
STOP = b'data: {"message_type":"stop_reason","seq_id":3}\n\n'
ERROR = b'event: error\ndata: {"message_type":"error_message"}\n\n'
COMMENT = b": keep-alive\n\n"
DONE = b"data: [DONE]\n\n"
WHOLE = (PING, A, COMMENT, B, STOP, ERROR, DONE)
EVENT_STREAM = (("Content-Type", "text/event-stream; charset=utf-8"), ("Transfer-Encoding", "chunked"))


def chunked(*frames: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(frame), frame) for frame in (*frames, b""))


def run(fault: Fault, *frames: bytes) -> Outcome:
    return through(fault, Reply(200, EVENT_STREAM, chunked(*frames)), {"method": "POST", "target": "/s"})[0]


ALTERED_A = b'data: {"message_type": "assistant_message", "seq_id": 1, "content": "Hel#"}\n\n'
ALTERED_B = (
    b'data: {"message_type": "assistant_message", "seq_id": 2, "content": [{"type": "text", "text": "lo#"}]}\n\n'
)
GAP_B = b'data: {"message_type": "assistant_message", "seq_id": 3, "content": [{"type": "text", "text": "lo"}]}\n\n'
GAP_STOP = b'data: {"message_type": "stop_reason", "seq_id": 4}\n\n'
EXTRA = b'data: {"message_type": "ping"}\n\n'


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (stream.drop_event("stop_reason"), (PING, A, COMMENT, B, ERROR, DONE)),
        (stream.drop_event("assistant_.*", nth=1), (PING, A, COMMENT, STOP, ERROR, DONE)),
        (stream.drop_event("assistant"), WHOLE),
        (stream.drop_event(is_error), (PING, A, COMMENT, B, STOP, DONE)),
        (stream.drop_event(nth=0), WHOLE[1:]),
        (stream.duplicate_event("assistant_message"), (PING, A, A, COMMENT, B, B, STOP, ERROR, DONE)),
        (stream.duplicate_event("assistant_message", nth=1), (PING, A, COMMENT, B, B, STOP, ERROR, DONE)),
        (stream.swap_events("assistant_message"), (PING, B, COMMENT, A, STOP, ERROR, DONE)),
        (stream.swap_events(nth=3), (PING, A, COMMENT, B, ERROR, STOP, DONE)),
        (stream.swap_events("stop_reason"), WHOLE),
        (stream.swap_events("assistant_message", nth=1), WHOLE),
        (stream.remove_done(), WHOLE[:-1]),
        (stream.duplicate_done(), (*WHOLE, DONE)),
        (stream.append_after_done(), (*WHOLE, EXTRA)),
        (stream.append_after_done("x"), (*WHOLE, b"data: x\n\n")),
        (stream.drop_pings(), (A, B, STOP, ERROR, DONE)),
        (stream.alter_token_text(), (PING, ALTERED_A, COMMENT, B, STOP, ERROR, DONE)),
        (stream.alter_token_text(nth=1), (PING, A, COMMENT, ALTERED_B, STOP, ERROR, DONE)),
        (stream.alter_token_text("stop_reason"), WHOLE),
        (stream.renumber_seq(), (PING, A, COMMENT, GAP_B, GAP_STOP, ERROR, DONE)),
        (stream.renumber_seq(after=2), (PING, A, COMMENT, B, GAP_STOP, ERROR, DONE)),
        (stream.change_event(any_event, lambda message: None), WHOLE),
        (stream.corrupt_frame(), (PING[:-3] + b"\n\n", *WHOLE[1:])),
        (stream.corrupt_frame("utf-8", "stop_reason"), (*WHOLE[:4], STOP[:-2] + b"\xff\n\n", ERROR, DONE)),
        (stream.corrupt_frame("field", "error_message"), (*WHOLE[:5], ERROR.replace(b"data", b"dta"), DONE)),
        (stream.corrupt_frame("separator", nth=1), (PING, A[:-1], *WHOLE[2:])),
        (stream.buffer_stream(), WHOLE),
        (stream.end_clean_after(2), (PING, A)),
        (stream.end_clean_after(0), ()),
        (stream.end_clean_after(7), WHOLE),
        (stream.cut_after(7), WHOLE),
        (stream.stall_after(7), WHOLE),
    ],
)
def test_a_stream_is_changed_in_one_place(fault: Fault, expected: tuple[bytes, ...]) -> None:
    without, with_fault = run(NO_FAULT, *WHOLE), run(fault, *WHOLE)
    assert with_fault == replace(without, reply=replace(without.reply, body=b"".join(expected)))


@pytest.mark.parametrize(("n", "partial"), [(0, b""), (2, PING + A), (3, PING + A + COMMENT + B)])
def test_a_cut_comes_right_after_the_nth_event_and_is_no_proper_end(n: int, partial: bytes) -> None:
    with pytest.raises(IncompleteRead) as caught:
        run(stream.cut_after(n), *WHOLE)
    assert caught.value.partial == partial


@pytest.mark.parametrize("fault", [stream.cut_after(1), stream.end_clean_after(1)])
def test_a_stream_that_ends_early_does_not_wait_for_the_next_event(fault: Fault) -> None:
    source = Stream()
    with serving(source.answer) as server, FaultProxy(server.url, fault) as proxy, Wire(proxy.url) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        source.send(A, b"wait")
        client.until(A)
        client.rest()
        assert source.is_left.wait(20)


def test_a_stalled_stream_keeps_its_connection_until_the_client_leaves() -> None:
    source = Stream()
    with serving(source.answer) as server, FaultProxy(server.url, stream.stall_after(1)) as proxy:
        with Wire(proxy.url) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            source.send(A, B, b"wait")
            client.until(A)
            assert not source.is_left.is_set()
        assert source.is_left.wait(20)


def test_a_buffered_stream_begins_only_after_it_has_ended() -> None:
    is_ended: list[bool] = []
    source = Stream()

    def answer(handler: Handler, seen: Seen) -> None:
        source.answer(handler, seen)
        is_ended.append(True)

    with (
        serving(answer) as server,
        FaultProxy(server.url, stream.buffer_stream()) as proxy,
        Wire(proxy.url) as client,
    ):
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        source.send(A, B, DONE)
        client.sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.sock.recv(1)
        client.sock.settimeout(20)
        source.send(b"")
        head = client.until(b"\r\n\r\n")
        assert b"Transfer-Encoding: chunked" in head
        body = A + B + DONE
        assert client.until(b"0\r\n\r\n") == b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def test_a_changed_content_type_is_all_that_changes() -> None:
    without, with_fault = run(NO_FAULT, *WHOLE), run(stream.change_content_type("text/plain"), *WHOLE)
    headers = (("Content-Type", "text/plain"), *without.reply.headers[1:])
    assert with_fault == replace(without, reply=replace(without.reply, headers=headers))


@pytest.mark.parametrize(
    "fault",
    [
        stream.drop_event(),
        stream.remove_done(),
        stream.buffer_stream(),
        stream.change_content_type(),
        stream.cut_after(0),
        stream.end_clean_after(0),
        stream.stall_after(0),
    ],
)
def test_what_is_no_event_stream_stays(fault: Fault) -> None:
    given = Reply(200, (("Content-Type", "application/json"),), A + DONE)
    assert through(fault, given, {}) == through(NO_FAULT, given, {})


def test_a_stream_that_the_fault_is_not_for_stays() -> None:
    assert run(stream.drop_event(on=Match("GET")), *WHOLE) == run(NO_FAULT, *WHOLE)


def test_an_event_stream_of_known_length_is_sent_chunked_when_it_changes() -> None:
    given = Reply(200, EVENT_STREAM[:1], A + DONE)
    (outcome,) = through(stream.remove_done(), given, {})
    assert outcome.reply == Reply(200, EVENT_STREAM, A, "OK")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_blocks_are_found_however_the_bytes_are_cut(size: int, end: bytes) -> None:
    frames = [frame.replace(b"\n", end) for frame in WHOLE]
    data = b"".join(frames) + b"data: unfinished"
    pieces = [data[n : n + size] for n in range(0, len(data), size)]

    assert [block.raw for block in split(pieces)] == [*frames, b"data: unfinished"]


def test_a_block_tells_what_it_carries() -> None:
    block = Block(b'event: error\nid: 4\ndata:{\ndata: "message_type": "x"}\n\n')
    assert block.data == '{\n"message_type": "x"}'
    assert block.message == {"message_type": "x"}
    assert is_of_type(block, "x|y")
    assert is_error(block)
    assert block.with_data("new").raw == b"event: error\nid: 4\ndata: new\n\n"
    assert Block(COMMENT).data is None
    assert Block(b"data: [1]\n\n").message == {}
    assert Block(DONE).is_done
