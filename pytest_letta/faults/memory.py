"""Faults of a memory that mixes things up: agents, blocks, and what a prompt is made of."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from dataclasses import dataclass, field, replace
from threading import Lock

from pytest_letta.faults.fault import EVERYTHING, Fault, Forward, Match, OnRequest, Request, Response
from pytest_letta.faults.rest import change_request_text

_LONGEST = 4096


@dataclass(frozen=True)
class _SpilledEdit(Fault):
    to: str

    def serve(self, request: Request, forward: Forward) -> Response:
        if self.on(request):
            spilled = re.sub(r"(/core-memory/blocks/)[^/?]+", rf"\g<1>{self.to}", request.target)
            forward(replace(request, target=spilled)).read()
        return forward(request)


def spill_edit(to: str, *, on: Match) -> Fault:
    """Do each edit of a block by its label to the block labelled ``to`` as well."""
    return _SpilledEdit(to, on=on)


def take_label(wrong: str, to: str) -> Fault:
    """Take requests for the block labelled ``wrong`` for requests for ``to`` (Letta 0.8.17 to 0.16.1 did so)."""

    def change(request: Request) -> Request:
        return replace(request, target=request.target.replace(f"/blocks/{wrong}", f"/blocks/{to}"))

    return OnRequest(change)


def ignore_cursors(*, on: Match = EVERYTHING) -> Fault:
    """Forward a list request without its ``after`` and ``before``."""

    def change(request: Request) -> Request:
        kept = re.sub(r"(?<=[?&])(after|before)=[^&]*&?", "", request.target).rstrip("?&")
        return replace(request, target=kept)

    return OnRequest(change, on=on)


@dataclass(frozen=True)
class _MixedUp(Fault):
    collection: str
    made: list[str] = field(default_factory=list, compare=False)

    def serve(self, request: Request, forward: Forward) -> Response:
        if request.method == "POST" and request.path == self.collection:
            answer = forward(request.with_header("Accept-Encoding", "identity"))
            body = answer.read()
            if answer.status == 200:
                self.made.append(str(json.loads(body)["id"]))
            return replace(answer, chunks=(body,))
        if request.method == "DELETE":
            self.made[:] = [id for id in self.made if request.path != f"{self.collection}{id}"]
        return forward(self._misrouted(request) if self.on(request) else request)

    def _misrouted(self, request: Request) -> Request:
        for first, second in zip(self.made[::2], self.made[1::2], strict=False):
            request = replace(request, target=request.target.replace(second, first))
        return request


def mix_up_agents(*, on: Match) -> Fault:
    """Of each two agents that exist at the same time, do to the older what is asked of the younger."""
    return _MixedUp("/v1/agents/", on=on)


def mix_up_conversations(*, on: Match) -> Fault:
    """Of each two conversations that exist at the same time, do to the older what is asked of the younger."""
    return _MixedUp("/v1/conversations/", on=on)


@dataclass(frozen=True)
class _OldPrompt(Fault):
    blocks: dict[str, dict[str, str]] = field(default_factory=dict, compare=False)
    lock: Lock = field(default_factory=Lock, compare=False)

    def serve(self, request: Request, forward: Forward) -> Response:
        if self.on(request):
            path = request.path.removesuffix("/messages") + "/core-memory/blocks"
            with self.lock:
                if path not in self.blocks:
                    self.blocks[path] = _values(path, request, forward)
                else:
                    self._put_back(path, request, forward)
        return forward(request)

    def _put_back(self, path: str, request: Request, forward: Forward) -> None:
        now = _values(path, request, forward)
        for label, value in self.blocks[path].items():
            if now.get(label, value) != value:
                body = json.dumps({"value": value}).encode()
                forward(replace(request.with_body(body), method="PATCH", target=f"{path}/{label}")).read()


def _values(path: str, request: Request, forward: Forward) -> dict[str, str]:
    """Give the value of each block at the path by its label."""
    asked = replace(request.with_body(b""), method="GET", target=path).with_header("Accept-Encoding", "identity")
    return {block["label"]: block["value"] for block in json.loads(forward(asked).read())}


def keep_old_prompt() -> Fault:
    """Have the model told, at every turn, the values that the blocks of its agent had at the first turn.

    The blocks are put back right before the turn: what was read over REST before it looks right.
    """
    return _OldPrompt(on=Match("POST", r"/v1/agents/[^/]+/messages$"))


def sanitise(path: str, *, on: Match) -> Fault:
    """Treat each text at that path of the request as a careless gateway does.

    Outer spaces go, line ends become LF, what is no ASCII goes, markup is escaped, braces are taken for a template,
    and what is longer than 4,096 characters is cut.
    """
    return change_request_text(path, _sanitised, on=on)


def _sanitised(text: str) -> str:
    text = text.strip().replace("\r\n", "\n").replace("\r", "\n")
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    text = html.escape(text, quote=False)
    return re.sub(r"\{\{.*?\}\}", "", text)[:_LONGEST]


@dataclass(frozen=True)
class _OnceSeen(Fault):
    fault: Fault
    seen: list[str] = field(default_factory=list, compare=False)

    def serve(self, request: Request, forward: Forward) -> Response:
        if self.seen:
            return self.fault.serve(request, forward)
        if self.on(request):
            self.seen.append(request.path)
        return forward(request)


def once_seen(fault: Fault, *, on: Match) -> Fault:
    """Show the fault on what comes after the first request that ``on`` matches."""
    return _OnceSeen(fault, on=on)
