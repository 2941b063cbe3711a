"""The event-stream grammar: bytes in, events and comments out, no I/O.

The grammar is the WHATWG's, https://html.spec.whatwg.org/multipage/server-sent-events.html section 9.2.
What it tells a browser to pass over in silence is passed over here too, but kept for a contract to see:
comments, lines with an unknown field, bytes that are no UTF-8, and an event that the end of the stream cut
off.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pytest_letta.errors import StreamError

MAX_LINE: Final = 8 * 1024 * 1024
MAX_EVENT: Final = 16 * 1024 * 1024
DONE: Final = "[DONE]"

_BOM = b"\xef\xbb\xbf"
_KEPT_IGNORED = 20
_FIELDS = frozenset({"data", "event", "id", "retry"})
#: `int` refuses to parse more than 4,300 digits; nobody waits longer than this many anyway.
_MAX_RETRY_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event.

    `event` is "message" where the stream named none. `id` is the last event id, which lasts from one event
    to the next; None until the stream sets one. `retry` is in milliseconds, None unless this very block set
    it. `at` is the moment when the chunk with its closing blank line came, on the clock of whoever fed the
    decoder. `malformed_utf8`: a replacement character stands for bytes that were no UTF-8.
    """

    event: str
    data: str
    id: str | None
    retry: int | None
    at: float
    malformed_utf8: bool = False

    @property
    def is_done(self) -> bool:
        """Whether this is the sentinel that ends a Letta stream."""
        return self.data == DONE

    def json(self) -> Any:
        """Parse the data as JSON; raise StreamError when it is none."""
        try:
            return json.loads(self.data)
        except ValueError as exc:
            shown = self.data if len(self.data) <= 80 else f"{self.data[:80]}..."
            raise StreamError(f"the data of a {self.event!r} event is not JSON ({exc}): {shown!r}") from None


@dataclass(frozen=True, slots=True)
class Comment:
    """A line that starts with a colon, without the colon and one space after it."""

    text: str
    at: float
    malformed_utf8: bool = False


class Decoder:
    """Turn the bytes of one stream into events and comments.

    Chunks may be cut anywhere. A carriage return at the end of a chunk ends its line at once: waiting for
    the line feed that may follow would hold back an event until the next chunk.

    `max_line` and `max_event` are bytes; going over raises StreamError, in that call if it has nothing to
    return, otherwise in the next. `ignored` holds the first lines whose field the standard does not know (a
    proxy's HTML page in the middle of a stream shows up there). `malformed_utf8` tells whether any line was
    no UTF-8.
    """

    def __init__(self, max_line: int = MAX_LINE, max_event: int = MAX_EVENT) -> None:
        self.max_line = max_line
        self.max_event = max_event
        self.ignored: list[str] = []
        self.malformed_utf8 = False
        self.last_id: str | None = None
        self._partial: list[bytes] = []
        self._partial_size = 0
        self._block: list[bytes] = []
        self._block_size = 0
        self._after_cr = False
        self._at_start = True
        self._error: StreamError | None = None

    def feed(self, chunk: bytes, at: float) -> list[Event | Comment]:
        """Decode the next bytes, which came at `at`, and return what they completed, in order."""
        if self._error is not None:
            raise self._error
        out: list[Event | Comment] = []
        try:
            for line in self._lines(chunk):
                if not line:
                    if self._block:
                        self._dispatch(at, out)
                elif line[0] == 0x3A:
                    text, malformed = self._text(line[2:] if line[1:2] == b" " else line[1:])
                    out.append(Comment(text, at, malformed))
                else:
                    self._hold(line)
        except StreamError as exc:
            self._error = exc
            if not out:
                raise
        return out

    def close(self) -> str:
        """End the stream and return the text that no blank line completed; "" after a clean end."""
        if self._error is not None:
            raise self._error
        last = b"".join(self._partial)
        if self._at_start:
            last = last.removeprefix(_BOM)
        rest = [*self._block, last] if last else self._block
        self._block, self._partial, self._block_size, self._partial_size = [], [], 0, 0
        return self._text(b"\n".join(rest))[0]

    def _lines(self, chunk: bytes) -> Iterator[bytes]:
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        first, *lines = chunk.split(b"\n")
        if first:
            self._partial.append(first)
            self._partial_size += len(first)
            if self._partial_size > self.max_line:
                raise _too_long("line", self.max_line)
        if not lines:
            return
        first = b"".join(self._partial)
        last = lines.pop()
        self._partial, self._partial_size = ([last], len(last)) if last else ([], 0)
        if self._at_start:
            self._at_start = False
            first = first.removeprefix(_BOM)
        yield first
        for line in lines:
            if len(line) > self.max_line:
                raise _too_long("line", self.max_line)
            yield line
        if len(last) > self.max_line:
            raise _too_long("line", self.max_line)

    def _hold(self, line: bytes) -> None:
        self._block.append(line)
        self._block_size += len(line)
        if self._block_size > self.max_event:
            raise _too_long("event", self.max_event)

    def _dispatch(self, at: float, out: list[Event | Comment]) -> None:
        block = self._block
        self._block, self._block_size = [], 0
        if len(block) == 1 and block[0].startswith(b"data:"):  # the one form that Letta sends most
            line = block[0]
            data, malformed = self._text(line[6:] if line[5:6] == b" " else line[5:])
            out.append(Event("message", data, self.last_id, None, at, malformed))
            return
        event = self._interpret(block, at)
        if event is not None:
            out.append(event)

    def _interpret(self, block: list[bytes], at: float) -> Event | None:
        text, malformed = self._text(b"\n".join(block))
        name, retry, data = "", None, []
        for line in text.split("\n"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "data":
                data.append(value)
            elif field == "event":
                name = value
            elif field == "id" and "\0" not in value:
                self.last_id = value
            elif field == "retry" and _is_retry(value):
                retry = int(value)
            elif field not in _FIELDS and len(self.ignored) < _KEPT_IGNORED:
                self.ignored.append(line[:200])
        if not data:  # the standard dispatches nothing without data, and forgets the name
            return None
        return Event(name or "message", "\n".join(data), self.last_id, retry, at, malformed)

    def _text(self, raw: bytes) -> tuple[str, bool]:
        # Lines can be decoded one by one: no byte of a line end is part of a longer UTF-8 sequence,
        # well-formed or not, so the replacement characters are those that decoding the whole stream would
        # give.
        try:
            return raw.decode(), False
        except UnicodeDecodeError:
            self.malformed_utf8 = True
            return raw.decode(errors="replace"), True


def _is_retry(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= _MAX_RETRY_DIGITS


def _too_long(what: str, bound: int) -> StreamError:
    return StreamError(f"the stream holds one {what} of more than {bound:,} bytes, which is all that is read")
