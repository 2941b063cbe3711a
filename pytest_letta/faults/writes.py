"""Faults of a server that does not keep what it was told: writes that vanish, answers that are old."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pytest_letta.faults.fault import (
    EVERYTHING,
    READS,
    WRITES,
    Fault,
    Forward,
    Match,
    OnRequest,
    Request,
    Response,
)

Reply = Literal["known", "merged", "echo"]
_AGENT_ID = re.compile(r"agent-[0-9a-f-]{36}")


@dataclass(frozen=True)
class _SwallowedWrite(Fault):
    reply: Reply
    known: dict[str, bytes] = field(default_factory=dict, compare=False)

    def serve(self, request: Request, forward: Forward) -> Response:
        if request.method == "GET":
            return self._remember(request, forward)
        return super().serve(request, forward)

    def request(self, request: Request) -> Response:
        known = self.known.get(request.path)
        if known is None or self.reply == "echo":
            return Response.of(200, request.body)
        return Response.of(200, known if self.reply == "known" else _merged(known, request.body))

    def _remember(self, request: Request, forward: Forward) -> Response:
        response = forward(request.with_header("Accept-Encoding", "identity"))
        if response.status != 200 or response.is_stream:
            return response
        body = response.read()
        self.known[request.path] = body
        return replace(response, chunks=(body,))


def swallow_write(reply: Reply = "known", *, on: Match = WRITES) -> Fault:
    """Answer writes with 200 without forwarding them; every GET is forwarded, uncompressed, and remembered.

    The body of the answer is what the last GET of the same path gave ("known"), that with the fields that were
    sent laid over it ("merged"), or what was sent ("echo", and wherever no GET is known).
    """
    return _SwallowedWrite(reply, on=on)


def _merged(known: bytes, sent: bytes) -> bytes:
    try:
        below, above = json.loads(known), json.loads(sent)
    except ValueError:
        return known
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return known
    return json.dumps({**below, **above}).encode()


@dataclass(frozen=True)
class _Stale(Fault):
    first: dict[str, Any] = field(default_factory=dict, compare=False)

    def serve(self, request: Request, forward: Forward) -> Response:
        if not self.on(request):
            return forward(request)
        if request.target in self.first:
            return self._again(request)
        response = forward(request)
        if response.status != 200 or response.is_stream:
            return response
        self.first.setdefault(request.target, replace(response, chunks=(response.read(),)))
        return self._again(request)

    def _again(self, request: Request) -> Response:
        response: Response = self.first[request.target]
        return response


def serve_stale(*, on: Match = READS) -> Fault:
    """Answer each URL, query included, for ever with its first 200 answer; event streams are left alone."""
    return _Stale(on=on)


def lose_body(*, on: Match = EVERYTHING) -> Fault:
    """Forward an empty body instead of the one that was sent."""
    return OnRequest(lambda request: request.with_body(b"") if request.body else request, on=on)


@dataclass(frozen=True)
class _AlsoDeleted(Fault):
    listed: str
    item: str

    def serve(self, request: Request, forward: Forward) -> Response:
        found = _AGENT_ID.search(request.path) if self.on(request) else None
        if found:
            listed = _told(request, forward, self.listed.format(agent=found[0]))
            for each in listed if isinstance(listed, list) else ():
                path = self.item.format(agent=found[0], id=each["id"])
                forward(replace(request.with_body(b""), method="DELETE", target=path)).read()
        return forward(request)


def also_delete(listed: str, item: str, *, on: Match) -> Fault:
    """Delete, before a request on an agent is forwarded, all that a list shows.

    ``listed`` is the target of the list and ``item`` the path of one of its items; ``{agent}`` stands for the id of
    the agent that the request is about, ``{id}`` for the id of the item.
    """
    return _AlsoDeleted(listed, item, on=on)


def _told(request: Request, forward: Forward, target: str) -> Any:
    """Ask, in the name of the client that sent a request, for a JSON document."""
    asked = replace(request.with_body(b""), method="GET", target=target).with_header("Accept-Encoding", "identity")
    return json.loads(forward(asked).read())
