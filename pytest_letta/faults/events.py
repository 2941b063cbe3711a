"""Event streams as blocks, byte for byte, and the base of the faults that change them.

A block is what stands between blank lines. It is passed on before the next one arrives.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pytest_letta.faults.fault import Fault, Match, Request, Response

_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Block:
    """One block of an event stream, as its bytes, which include the blank line at its end."""

    raw: bytes

    @property
    def lines(self) -> list[str]:
        """Its lines that are not blank."""
        return [line for line in _LINE_END.split(self.raw.decode("utf-8", "replace")) if line]

    @property
    def data(self) -> str | None:
        """The value of its data fields, joined as the standard says; None for a comment or the like."""
        values = [line[5:].removeprefix(" ") for line in self.lines if line.startswith("data:")]
        return "\n".join(values) if values else None

    @property
    def is_done(self) -> bool:
        """Whether this is the ``[DONE]`` that ends a stream of Letta's."""
        return self.data == "[DONE]"

    @property
    def message(self) -> dict[str, Any]:
        """The JSON object in its data; empty if there is none."""
        try:
            value = json.loads(self.data or "")
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def with_data(self, data: str) -> Block:
        """Replace the data; other fields stay before it."""
        others = [line for line in self.lines if not line.startswith("data:")]
        return Block("\n".join([*others, f"data: {data}", "", ""]).encode())


Blocks = Iterator[Block]
Pick = Callable[[Block], bool]


def any_event(block: Block) -> bool:
    """Match every block that carries data, ``[DONE]`` too."""
    return block.data is not None


def is_error(block: Block) -> bool:
    """Match blocks of the event type "error"."""
    return any(re.fullmatch("event: ?error", line) for line in block.lines)


def split(chunks: Iterable[bytes]) -> Blocks:
    """Cut the bytes of a stream into blocks; what is left at the end, without a blank line, comes last."""
    rest = b""
    for chunk in chunks:
        start, rest = max(0, len(rest) - 3), rest + chunk
        while end := _END.search(rest, start):
            yield Block(rest[: end.end()])
            start, rest = 0, rest[end.end() :]
    if rest:
        yield Block(rest)


@dataclass(frozen=True)
class OnEvents(Fault):
    """A fault that changes the blocks of an event stream."""

    change: Callable[[Request, Blocks], Blocks]

    def request(self, request: Request) -> Request:
        return request.with_header("Accept-Encoding", "identity")

    def response(self, request: Request, response: Response) -> Response:
        if not response.is_stream:
            return response
        # A length would no longer be true.
        framed = response.without_header("Content-Length").with_header("Transfer-Encoding", "chunked")
        blocks = self.change(request, split(response.chunks))
        return replace(framed, chunks=(block.raw for block in blocks))


def each(match: Pick | str, nth: int | None, on: Match, change: Callable[[Block], Iterable[Block]]) -> Fault:
    """Make a fault that puts, in the place of each block picked, the blocks that ``change`` gives."""

    def changed(request: Request, blocks: Blocks) -> Blocks:
        for block, is_hit in picked(blocks, match, nth):
            yield from change(block) if is_hit else (block,)

    return OnEvents(changed, on=on)


def picked(blocks: Blocks, match: Pick | str, nth: int | None) -> Iterator[tuple[Block, bool]]:
    """Say of each block whether it is meant: one that matches and, unless ``nth`` is None, is the nth such."""
    numbers = itertools.count()
    for block in blocks:
        is_hit = is_of_type(block, match) if isinstance(match, str) else match(block)
        yield block, is_hit and nth in (None, next(numbers))


def is_of_type(block: Block, pattern: str) -> bool:
    """Match the block's whole ``message_type`` against the regex; a block without one never matches."""
    kind = block.message.get("message_type")
    return isinstance(kind, str) and re.fullmatch(pattern, kind) is not None
