"""Faults of event streams: events lost, repeated, moved or damaged; streams held back, cut or stalled.

``match`` is a regex for the whole ``message_type`` of a message, or a condition on the block. ``nth`` counts, from 0
and in each stream, the blocks that match; None means all of them. Answers that are no event stream stay as they are.
The server is asked not to compress what these faults have to read (``Accept-Encoding: identity``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any, Literal

from pytest_letta.faults.events import Block, Blocks, OnEvents, Pick, any_event, each, is_error, picked
from pytest_letta.faults.fault import (
    EVERYTHING,
    CutError,
    Fault,
    Match,
    OnRequest,
    OnResponse,
    Request,
    Response,
    together,
)

Damage = Literal["json", "utf-8", "field", "separator"]


def drop_event(match: Pick | str = any_event, *, nth: int | None = None, on: Match = EVERYTHING) -> Fault:
    """Take events out of the stream."""
    return each(match, nth, on, lambda block: ())


def duplicate_event(match: Pick | str = any_event, *, nth: int | None = None, on: Match = EVERYTHING) -> Fault:
    """Send events twice, one right after the other."""
    return each(match, nth, on, lambda block: (block, block))


def swap_events(match: Pick | str = any_event, *, nth: int = 0, on: Match = EVERYTHING) -> Fault:
    """Let the nth matching event and the next matching one change places; what is between them stays between."""

    def change(request: Request, blocks: Blocks) -> Blocks:
        held: list[Block] = []
        is_swapped = False
        hits = 0
        for block, is_hit in picked(blocks, match, None):
            hits += is_hit
            if is_swapped or hits <= nth:
                yield block
            elif is_hit and held:
                yield from (block, *held[1:], held[0])
                held, is_swapped = [], True
            else:
                held.append(block)
        yield from held

    return OnEvents(change, on=on)


def change_event(
    match: Pick | str, edit: Callable[[dict[str, Any]], None], *, nth: int | None = None, on: Match = EVERYTHING
) -> Fault:
    """Edit, in place, the JSON object that events carry; an event that comes out the same keeps its bytes."""

    def change(block: Block) -> tuple[Block]:
        message = block.message
        if message:
            edit(message)
        return (block if message == block.message else block.with_data(json.dumps(message)),)

    return each(match, nth, on, change)


def alter_token_text(
    match: Pick | str = "assistant_message", *, extra: str = "#", nth: int = 0, on: Match = EVERYTHING
) -> Fault:
    """Add characters to the text of a message; its ``content`` is a string or a list with text parts."""

    def edit(message: dict[str, Any]) -> None:
        content = message.get("content")
        if isinstance(content, str):
            message["content"] = content + extra
        elif isinstance(content, list):
            part = next((part for part in content if isinstance(part, dict) and "text" in part), None)
            if part is not None:
                part["text"] = f"{part['text']}{extra}"

    return change_event(match, edit, nth=nth, on=on)


def join_events(match: Pick | str = "assistant_message", *, on: Match = EVERYTHING) -> Fault:
    """Join the text of matching events that follow one another into the first of them, as a gateway may do."""

    def change(request: Request, blocks: Blocks) -> Blocks:
        held: Block | None = None
        for block, is_hit in picked(blocks, match, None):
            if is_hit and held is not None:
                message = held.message
                message["content"] = (message.get("content") or "") + (block.message.get("content") or "")
                held = held.with_data(json.dumps(message))
            elif is_hit:
                held = block
            else:
                yield from () if held is None else (held,)
                held = None
                yield block
        yield from () if held is None else (held,)

    return OnEvents(change, on=on)


def stick_after_error(*, on: Match = EVERYTHING) -> Fault:
    """Answer 409 to each further stream of an agent whose stream held an error."""
    stuck: set[str] = set()

    def watch(request: Request, blocks: Blocks) -> Blocks:
        for block in blocks:
            if is_error(block):
                stuck.add(request.path)
            yield block

    def refuse(request: Request) -> Request | Response:
        busy = b'{"detail":"CONFLICT: another request is being processed"}'
        return Response.of(409, busy) if request.path in stuck else request

    return together(OnRequest(refuse, on=on), OnEvents(watch, on=on))


def renumber_seq(after: int = 1, by: int = 1, *, on: Match = EVERYTHING) -> Fault:
    """Add ``by`` to each ``seq_id`` above ``after``: a gap if positive, a repeat if negative; null stays null."""

    def edit(message: dict[str, Any]) -> None:
        if isinstance(message.get("seq_id"), int) and message["seq_id"] > after:
            message["seq_id"] += by

    return change_event(any_event, edit, on=on)


def drop_pings(*, on: Match = EVERYTHING) -> Fault:
    """Take out Letta's ``ping`` messages and the comment lines with which other servers keep a stream alive."""

    def is_ping(block: Block) -> bool:
        is_comment = bool(block.lines) and all(line.startswith(":") for line in block.lines)
        return is_comment or block.message.get("message_type") == "ping"

    return drop_event(is_ping, on=on)


def remove_done(*, on: Match = EVERYTHING) -> Fault:
    """Take out ``[DONE]``; the stream then ends properly, but without it."""
    return each(_is_done, None, on, lambda block: ())


def duplicate_done(*, on: Match = EVERYTHING) -> Fault:
    """Send ``[DONE]`` twice."""
    return each(_is_done, None, on, lambda block: (block, block))


def append_after_done(data: str = '{"message_type": "ping"}', *, on: Match = EVERYTHING) -> Fault:
    """Send one more event, with these data, after ``[DONE]``."""
    return each(_is_done, None, on, lambda block: (block, Block(f"data: {data}\n\n".encode())))


def _is_done(block: Block) -> bool:
    return block.is_done


def corrupt_frame(
    damage: Damage = "json", match: Pick | str = any_event, *, nth: int = 0, on: Match = EVERYTHING
) -> Fault:
    """Damage the frame of an event.

    "json" takes the last character of the data, "utf-8" puts a byte into them that is no UTF-8, "field" misspells
    the name ``data``, "separator" takes the blank line, so that the event runs into the next one.
    """

    def change(block: Block) -> tuple[Block]:
        text, end = block.raw.rstrip(b"\r\n"), b"\n\n"
        if damage == "json":
            return (Block(text[:-1] + end),)
        if damage == "utf-8":
            return (Block(text + b"\xff" + end),)
        if damage == "field":
            return (Block(text.replace(b"data:", b"dta:") + end),)
        return (Block(text + b"\n"),)

    return each(match, nth, on, change)


def change_content_type(to: str = "application/json", *, on: Match = EVERYTHING) -> Fault:
    """Declare event streams as something else; their bytes stay."""

    def change(request: Request, response: Response) -> Response:
        return response.with_header("Content-Type", to) if response.is_stream else response

    return OnResponse(change, on=on)


def buffer_stream(*, on: Match = EVERYTHING) -> Fault:
    """Hold back head and body of a stream until it has ended, as a proxy does that buffers."""

    def change(request: Request, response: Response) -> Response:
        return replace(response, chunks=(response.read(),)) if response.is_stream else response

    return OnResponse(change, on=on)


def cut_after(n_events: int, *, on: Match = EVERYTHING) -> Fault:
    """Close the connection right after the nth event, in the middle of the body; 0: right after the head."""

    def change(request: Request, blocks: Blocks) -> Blocks:
        if (yield from _first(n_events, blocks)):
            raise CutError(f"the fault cuts the stream after {n_events} events")

    return OnEvents(change, on=on)


def end_clean_after(n_events: int, *, on: Match = EVERYTHING) -> Fault:
    """End the body properly right after the nth event, as if nothing were missing."""

    def change(request: Request, blocks: Blocks) -> Blocks:
        yield from _first(n_events, blocks)

    return OnEvents(change, on=on)


def stall_after(n_events: int, *, on: Match = EVERYTHING) -> Fault:
    """Send nothing more after the nth event and keep the connection open until the client leaves."""

    def change(request: Request, blocks: Blocks) -> Blocks:
        if (yield from _first(n_events, blocks)):
            request.pause(None)

    return OnEvents(change, on=on)


def _first(n_events: int, blocks: Blocks) -> Generator[Block, None, bool]:
    """Pass on the first n events, and comments between them; tell whether there were as many."""
    left = n_events
    while left:
        block = next(blocks, None)
        if block is None:
            return False
        left -= any_event(block)
        yield block
    return True
