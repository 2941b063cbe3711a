"""Faults of JSON bodies, of lists and of statuses.

Where a body has to be read, the server is asked not to compress it (``Accept-Encoding: identity``). Event streams
are left alone, and so are bodies that are no JSON or that the fault has nothing to change in: their bytes stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pytest_letta.faults import json_edit
from pytest_letta.faults.fault import EVERYTHING, Fault, Match, OnRequest, OnResponse, Request, Response
from pytest_letta.faults.json_edit import Edit


@dataclass(frozen=True)
class _EditedRequest(Fault):
    edit: Edit

    def request(self, request: Request) -> Request:
        body = json_edit.edited(request.body, self.edit)
        return request if body is None else request.with_body(body)


@dataclass(frozen=True)
class _EditedResponse(Fault):
    edit: Edit

    def request(self, request: Request) -> Request:
        return request.with_header("Accept-Encoding", "identity")

    def response(self, request: Request, response: Response) -> Response:
        if response.is_stream:
            return response
        body = response.read()
        changed = json_edit.edited(body, self.edit)
        return replace(response, chunks=(body,)) if changed is None else response.with_body(changed)


def rename_request_field(path: str, to: str, *, on: Match = EVERYTHING) -> Fault:
    """Rename a key of the JSON that the client sends; ``to`` is the last part of the path only."""
    return _EditedRequest(json_edit.rename(path, to), on=on)


def drop_request_field(path: str, *, on: Match = EVERYTHING) -> Fault:
    """Take a key or a list item out of the JSON that the client sends."""
    return _EditedRequest(json_edit.drop(path), on=on)


def set_request_field(path: str, value: Any, *, on: Match = EVERYTHING) -> Fault:
    """Set a value in the JSON that the client sends."""
    return _EditedRequest(json_edit.put(path, value), on=on)


def change_request_text(path: str, change: Callable[[str], str], *, on: Match = EVERYTHING) -> Fault:
    """Forward what the function makes of each text at the path, in place of the one that the client sent."""
    return _EditedRequest(json_edit.on_texts(path, change), on=on)


def rename_response_field(path: str, to: str, *, on: Match = EVERYTHING) -> Fault:
    """Rename a key of the JSON answer; ``to`` is the last part of the path only."""
    return _EditedResponse(json_edit.rename(path, to), on=on)


def drop_response_field(path: str, *, on: Match = EVERYTHING) -> Fault:
    """Take a key or a list item out of the JSON answer."""
    return _EditedResponse(json_edit.drop(path), on=on)


def set_response_field(path: str, value: Any, *, on: Match = EVERYTHING) -> Fault:
    """Set a value in the JSON answer."""
    return _EditedResponse(json_edit.put(path, value), on=on)


def drop_list_item(index: int = 0, *, path: str = "", on: Match = EVERYTHING) -> Fault:
    """Take the item at that position (from the end if negative) out of every page; ``path`` leads to the list."""
    return _on_item(index, path, on, lambda items: items.pop(index))


def duplicate_list_item(index: int = 0, *, path: str = "", on: Match = EVERYTHING) -> Fault:
    """Repeat the item at that position (from the end if negative) right before itself, in every page."""
    return _on_item(index, path, on, lambda items: items.insert(index, items[index]))


def reverse_list(*, path: str = "", on: Match = EVERYTHING) -> Fault:
    """Turn the order of every page round."""
    return _EditedResponse(json_edit.on_lists(path, list.reverse), on=on)


def _on_item(index: int, path: str, on: Match, change: Callable[[list[Any]], object]) -> Fault:
    def if_there(items: list[Any]) -> None:
        if -len(items) <= index < len(items):
            change(items)

    return _EditedResponse(json_edit.on_lists(path, if_there), on=on)


def change_status(
    to: int, *, only: int | tuple[int, ...] = (), body: bytes | None = None, on: Match = EVERYTHING
) -> Fault:
    """Answer with another status; ``only`` names those to change (none: all), ``body`` None keeps the body."""
    wanted = (only,) if isinstance(only, int) else only

    def change(request: Request, response: Response) -> Response:
        if wanted and response.status not in wanted:
            return response
        changed = response.with_status(to)
        return changed if body is None else changed.with_body(body)

    return OnResponse(change, on=on)


def replace_body(body: bytes, content_type: str | None = None, *, on: Match = EVERYTHING) -> Fault:
    """Answer with another body; status and headers stay, but for the length and, if given, the content type."""

    def change(request: Request, response: Response) -> Response:
        changed = response.with_body(body)
        return changed if content_type is None else changed.with_header("Content-Type", content_type)

    return OnResponse(change, on=on)


def answer(
    status: int,
    body: bytes = b"",
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),),
    *,
    on: Match = EVERYTHING,
) -> Fault:
    """Answer without forwarding; the length of the body is added to the headers."""

    def change(request: Request) -> Response:
        return Response(status, (body,), headers=headers).with_header("Content-Length", str(len(body)))

    return OnRequest(change, on=on)


def drop_parameter(*names: str, on: Match = EVERYTHING) -> Fault:
    """Take the parameters of these names out of the query, wherever they occur in it."""

    def change(request: Request) -> Request:
        path, _, query = request.target.partition("?")
        kept = [pair for pair in query.split("&") if pair and pair.partition("=")[0] not in names]
        return replace(request, target=f"{path}?{'&'.join(kept)}" if kept else path)

    return OnRequest(change, on=on)


def replace_in_body(old: bytes, new: bytes, *, on: Match = EVERYTHING) -> Fault:
    """Replace bytes of the body that the client sends, such as a field of a form."""
    return OnRequest(lambda request: request.with_body(request.body.replace(old, new)), on=on)
