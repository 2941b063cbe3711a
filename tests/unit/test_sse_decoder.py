"""The decoder follows the WHATWG grammar, line by line."""

from __future__ import annotations

import pytest

from pytest_letta.errors import StreamError
from pytest_letta.sse import Comment, Decoder, Event


def decode(raw: bytes) -> list[Event | Comment]:
    return Decoder().feed(raw, 0.0)


def data_of(raw: bytes) -> list[str]:
    return [item.data for item in decode(raw) if isinstance(item, Event)]


def test_event_has_its_fields_and_the_time_of_its_chunk() -> None:
    raw = b"event: error\nid: 7\nretry: 1500\ndata: {}\n\n"

    assert [Event("error", "{}", "7", 1500, 12.5)] == Decoder().feed(raw, 12.5)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_each_line_end_of_the_standard_ends_a_line(end: bytes) -> None:
    assert data_of(end.join([b"data: a", b"data: b", b"", b"data: c", b"", b""])) == ["a\nb", "c"]


def test_carriage_return_at_the_end_of_a_chunk_dispatches_at_once() -> None:
    decoder = Decoder()

    assert [Event("message", "a", None, None, 1.0)] == decoder.feed(b"data: a\r\r", 1.0)
    assert [Event("message", "b", None, None, 2.0)] == decoder.feed(b"\ndata: b\r\n\r\n", 2.0)


@pytest.mark.parametrize(
    ("line", "data"),
    [
        (b"data:a", "a"),
        (b"data: a", "a"),
        (b"data:  a", " a"),
        (b"data:", ""),
        (b"data", ""),
        (b"data: a:b", "a:b"),
        (b"data: \tx ", "\tx "),
    ],
)
def test_one_space_after_the_colon_is_dropped_and_no_more(line: bytes, data: str) -> None:
    assert [data] == data_of(line + b"\n\n")
    assert [data] == data_of(b"event: x\n" + line + b"\n\n")


def test_line_separators_of_unicode_do_not_end_a_line() -> None:
    text = "a\u2028b\x0bc\x0cd\x1ce\u0085f"

    assert [text] == data_of(f"data: {text}\n\n".encode())


def test_byte_order_mark_is_dropped_once_at_the_start() -> None:
    bom = b"\xef\xbb\xbf"

    assert data_of(bom + b"data: a\n\n") == ["a"]
    assert data_of(bom + bom + b"data: a\n\n") == []
    assert [Comment("a", 0.0)] == decode(bom + b": a\n")


def test_block_without_data_dispatches_nothing_and_forgets_its_name() -> None:
    assert [Event("message", "a", "3", None, 0.0)] == decode(b"event: x\nid: 3\n\ndata: a\n\n")


def test_id_lasts_until_another_one_and_may_be_emptied() -> None:
    raw = b"data: a\n\nid: 1\ndata: b\n\ndata: c\n\nid\ndata: d\n\nid: x\0y\ndata: e\n\n"

    assert [item.id for item in decode(raw) if isinstance(item, Event)] == [None, "1", "1", "", ""]


@pytest.mark.parametrize("value", ["", "-1", "+1", " 1", "1.5", "1_000", "x", "٣", "9" * 5000])
def test_retry_that_is_no_plain_number_is_passed_over(value: str) -> None:
    assert [Event("message", "a", None, None, 0.0)] == decode(f"retry: {value}\ndata: a\n\n".encode())


def test_comments_are_kept_where_they_stand() -> None:
    items = decode(b": ping\n\ndata: a\n:\n:  x\ndata: b\n\n")

    assert [
        Comment("ping", 0.0),
        Comment("", 0.0),
        Comment(" x", 0.0),
        Event("message", "a\nb", None, None, 0.0),
    ] == items


def test_lines_with_an_unknown_field_are_passed_over_but_visible() -> None:
    decoder = Decoder()

    items = decoder.feed(b"<html>\ndata: a\nDATA: b\n data: c\n\n", 0.0)

    assert [Event("message", "a", None, None, 0.0)] == items
    assert decoder.ignored == ["<html>", "DATA: b", " data: c"]


def test_bytes_that_are_no_utf8_are_replaced_and_reported() -> None:
    decoder = Decoder()

    items = decoder.feed(b"data: ok\n\ndata: a\xffb\xe2\x82\n\n: \x80\n", 0.0)

    assert [
        Event("message", "ok", None, None, 0.0, malformed_utf8=False),
        Event("message", "a\ufffdb\ufffd", None, None, 0.0, malformed_utf8=True),
        Comment("\ufffd", 0.0, malformed_utf8=True),
    ] == items
    assert decoder.malformed_utf8


@pytest.mark.parametrize(
    ("raw", "leftover"),
    [
        (b"data: a\n\n", ""),
        (b"", ""),
        (b"data: a\n\ndata: b\n", "data: b"),
        (b"data: a\n\nevent: x\ndata: b", "event: x\ndata: b"),
        (b"\xef\xbb\xbf{", "{"),
        (b": only a comment\n", ""),
    ],
)
def test_what_no_blank_line_completed_is_not_dispatched_but_visible(raw: bytes, leftover: str) -> None:
    decoder = Decoder()
    count = len([item for item in decoder.feed(raw, 0.0) if isinstance(item, Event)])

    assert leftover == decoder.close()
    assert raw.count(b"data: a\n\n") == count


@pytest.mark.parametrize("raw", [b"data: 123456789", b"data: 123456789\n\n", b"\xff" * 11])
def test_line_over_the_bound_is_a_stream_error(raw: bytes) -> None:
    with pytest.raises(StreamError, match="one line of more than 10 bytes"):
        Decoder(max_line=10).feed(raw, 0.0)


def test_event_over_the_bound_is_a_stream_error() -> None:
    with pytest.raises(StreamError, match="one event of more than 20 bytes"):
        Decoder(max_event=20).feed(b"data: 1234\n" * 3, 0.0)


def test_events_before_an_error_are_given_out_and_the_error_comes_next() -> None:
    decoder = Decoder(max_line=10)

    assert decoder.feed(b"data: a\n\ndata: 123456789\n\n", 0.0) == [Event("message", "a", None, None, 0.0)]
    with pytest.raises(StreamError):
        decoder.feed(b"", 0.0)
    with pytest.raises(StreamError):
        decoder.close()


def test_data_is_read_as_json_or_refused_with_its_text() -> None:
    assert Event("message", '{"a": [1]}', None, None, 0.0).json() == {"a": [1]}
    with pytest.raises(StreamError, match=r"data of a 'error' event is not JSON .*'<html>'"):
        Event("error", "<html>", None, None, 0.0).json()


def test_only_the_sentinel_is_done() -> None:
    items = decode(b"data: [DONE]\n\ndata: []\n\ndata: [DONE] \n\n")

    assert [isinstance(item, Event) and item.is_done for item in items] == [True, False, False]
