"""Properties of the decoder: where the bytes are cut does not matter, and other decoders agree."""

from __future__ import annotations

from itertools import pairwise

import httpx
from httpx_sse import EventSource
from hypothesis import given
from hypothesis import strategies as st

from pytest_letta.sse import Comment, Decoder, Event

LINE_END = st.sampled_from(["\n", "\r", "\r\n"])
VALUE = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=20)
JUNK = st.lists(
    st.sampled_from(
        [b"data", b"id", b"event", b"retry", b":", b" ", b"\n", b"\r", b"\0", b"7", b"\xc3", b"\xa9", b"x"]
    )
    | st.binary(max_size=3),
    max_size=40,
).map(b"".join)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Valid streams in which each block has data, each line with a line end of its own."""
    lines: list[str] = []
    for _ in range(draw(st.integers(0, 5))):
        block = ["data: " + draw(VALUE) for _ in range(draw(st.integers(1, 3)))]
        block += draw(st.lists(VALUE.map(lambda text: ":" + text), max_size=2))
        block += draw(st.lists(VALUE.map(lambda text: "event: " + text), max_size=1))
        block += draw(st.lists(VALUE.map(lambda text: "id: " + text), max_size=1))
        block += draw(st.lists(st.integers(0, 10**6).map(lambda ms: f"retry: {ms}"), max_size=1))
        lines += [*draw(st.permutations(block)), ""]
    raw = ""
    for line in lines:
        end = draw(LINE_END)
        # An empty line that ends in LF would be the second half of a CR LF after a line that ended in CR.
        raw += line + ("\r\n" if raw.endswith("\r") and not line else end)
    return raw.encode()


def decode(chunks: list[bytes]) -> tuple[list[Event | Comment], str, list[str], bool]:
    decoder = Decoder()
    items = [item for chunk in chunks for item in decoder.feed(chunk, 0.0)]
    return items, decoder.close(), decoder.ignored, decoder.malformed_utf8


def cut(raw: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(raw) + 1) for place in places), len(raw)]
    return [raw[start:end] for start, end in pairwise(edges)]


@given(raw=JUNK | streams(), places=st.lists(st.integers(0, 500)))
def test_cutting_the_bytes_anywhere_changes_nothing(raw: bytes, places: list[int]) -> None:
    whole = decode([raw])

    assert whole == decode(cut(raw, places))
    assert whole == decode([raw[i : i + 1] for i in range(len(raw))])


@given(raw=streams())
def test_httpx_sse_reads_valid_streams_the_same(raw: bytes) -> None:
    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=raw)
    theirs = [(e.event, e.data, e.id, e.retry) for e in EventSource(response).iter_sse()]

    items, leftover, ignored, malformed = decode([raw])

    assert theirs == [(e.event, e.data, e.id or "", e.retry) for e in items if isinstance(e, Event)]
    assert (leftover, ignored, malformed) == ("", [], False)


@given(data=st.lists(VALUE, min_size=1, max_size=4))
def test_what_was_encoded_comes_back(data: list[str]) -> None:
    raw = "".join(f"data: {line}\n" for line in data) + "\n"

    assert [Event("message", "\n".join(data), None, None, 0.0)] == decode([raw.encode()])[0]


@given(raw=st.binary(max_size=60))
def test_replacement_characters_are_those_of_decoding_the_whole_stream(raw: bytes) -> None:
    line = raw.translate(None, b"\r\n")

    (event,) = Decoder().feed(b"data:" + b"!" + line + b"\n\n", 0.0)

    assert isinstance(event, Event)
    assert "!" + line.decode(errors="replace") == event.data
