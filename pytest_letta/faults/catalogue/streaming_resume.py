"""Faults that break what was kept of background streams: read once only, shared out, trimmed, lost at an edge."""

from __future__ import annotations

import itertools
import socket
from collections import Counter
from urllib.parse import urlsplit

from pytest_letta.faults.events import Block, Blocks, OnEvents
from pytest_letta.faults.fault import CataloguedFault, Fault, Match, Request
from pytest_letta.faults.stack import StackFault
from pytest_letta.faults.stream import drop_event
from pytest_letta.stack.stack import Stack

_RESUME = Match("POST", r"/runs/[^/]+/stream$")
#: Redis keeps a stream `sse:run:<id>` of each run: letta/server/rest_api/redis_stream_manager.py.
_TRIM = b"for _, key in ipairs(redis.call('keys', 'sse:run:*')) do redis.call('xtrim', key, 'maxlen', 3) end"


def _is_answer(block: Block) -> bool:
    return block.message.get("message_type") == "assistant_message"


def _read_once() -> Fault:
    """Hold no answer in a resume that was asked for, in the same words, before."""
    seen: set[tuple[str, bytes]] = set()

    def change(request: Request, blocks: Blocks) -> Blocks:
        asked = (request.path, request.body)
        is_again = asked in seen
        seen.add(asked)
        return (block for block in blocks if not (is_again and _is_answer(block)))

    return OnEvents(change, on=_RESUME)


def _share_out() -> Fault:
    """Give a second reader of a run only what the first, who reads still, is not given: each second event."""
    reading: Counter[str] = Counter()

    def change(request: Request, blocks: Blocks) -> Blocks:
        reading[request.path] += 1
        is_second = reading[request.path] > 1
        try:
            for number, block in enumerate(blocks):
                if not (is_second and number % 2 and _is_answer(block)):
                    yield block
        finally:
            reading[request.path] -= 1

    return OnEvents(change, on=_RESUME)


def _trim_streams(stack: Stack) -> None:
    there = urlsplit(str(stack.redis_url))
    words = (b"EVAL", _TRIM, b"0")
    sent = [b"*%d\r\n" % len(words), *itertools.chain(*((b"$%d\r\n" % len(word), word, b"\r\n") for word in words))]
    with socket.create_connection((there.hostname, there.port), timeout=10) as connection:
        connection.sendall(b"".join(sent))
        answer = connection.recv(200)
    if not answer.startswith(b"$-1"):
        raise RuntimeError(f"Redis did not trim the streams: {answer!r}")


FAULTS: tuple[CataloguedFault | StackFault, ...] = (
    CataloguedFault(
        name="resume-works-once",
        # Of two readers at once the later one is the second.
        kills=("SSE-RESUME-007", "SSE-RESUME-008"),
        reason="second resume after event .*missing|stream of reader . of 2: .*missing",
        make=_read_once,
    ),
    CataloguedFault(
        name="readers-share-the-events",
        kills=("SSE-RESUME-008",),
        reason="stream of reader . of 2: .*missing",
        make=_share_out,
    ),
    CataloguedFault(
        name="event-lost-where-a-batch-ends",
        kills=("SSE-RESUME-010",),
        reason="resume after event 1 of .*: 1 missing",
        make=lambda: drop_event(lambda block: block.message.get("seq_id") == 101, on=_RESUME),
    ),
    StackFault(
        name="restart-loses-the-older-events",
        kills=("SSE-RESUME-009", "SSE-REDIS-004[in-order]"),
        reason="resume after event .* after (the restart|Redis was restarted): .*missing",
        after={"restart": _trim_streams},
    ),
)
