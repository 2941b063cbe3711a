"""Faults of what an agent's past is taken for: its context, or the past of another that it was copied from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from pytest_letta.faults.fault import Fault, Forward, Match, Request, Response


@dataclass(frozen=True)
class _OnlyContext(Fault):
    def serve(self, request: Request, forward: Forward) -> Response:
        if not self.on(request):
            return forward(request)
        plain = request.with_header("Accept-Encoding", "identity")
        agent = replace(plain, target=request.path.removesuffix("/messages"))
        in_context = set(json.loads(forward(agent).read())["message_ids"])
        answer = forward(plain)
        shown = [message for message in json.loads(answer.read()) if message["id"] in in_context]
        return answer.with_body(json.dumps(shown).encode())


def show_only_context() -> Fault:
    """Give as the history of an agent only what is in its context."""
    return _OnlyContext(on=Match("GET", r"/v1/agents/[^/]+/messages$"))


@dataclass(frozen=True)
class _ImportedInPlace(Fault):
    exported: list[str] = field(default_factory=list, compare=False)

    def serve(self, request: Request, forward: Forward) -> Response:
        if request.path.endswith("/export"):
            self.exported.append(request.path.split("/")[-2])
        if request.path == "/v1/agents/import" and self.exported:
            return Response.of(200, json.dumps({"agent_ids": self.exported[-1:]}).encode())
        return forward(request)


def import_in_place() -> Fault:
    """Import no agent file: the answer names the agent that was exported last as the copy."""
    return _ImportedInPlace()


@dataclass(frozen=True)
class _ForkedEmpty(Fault):
    def serve(self, request: Request, forward: Forward) -> Response:
        if not self.on(request):
            return forward(request)
        plain = request.with_header("Accept-Encoding", "identity").with_header("Content-Type", "application/json")
        source = replace(plain, method="GET", target=request.path.removesuffix("/fork"), body=b"")
        agent = json.loads(forward(source).read())["agent_id"]
        return forward(replace(plain, target=f"/v1/conversations/?agent_id={agent}", body=b"{}"))


def fork_empty() -> Fault:
    """Begin a new conversation of the same agent in place of a fork."""
    return _ForkedEmpty(on=Match("POST", "/conversations/[^/]+/fork$"))
