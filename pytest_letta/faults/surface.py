"""Faults of a REST surface that does not look closely: at queries, at hostile bytes, at what it is to delete."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from pytest_letta.faults.fault import EVERYTHING, Fault, Forward, Match, OnRequest, Request, Response

_CRASH = b'{"detail": "An unknown error occurred"}'


def rewrite_query(pattern: str, to: str, *, on: Match = EVERYTHING) -> Fault:
    """Forward another query: what the regex matches in it, without the question mark, is replaced by ``to``."""

    def change(request: Request) -> Request:
        path, _, query = request.target.partition("?")
        changed = re.sub(pattern, to, query).strip("&")
        return replace(request, target=f"{path}?{changed}" if changed else path)

    return OnRequest(change, on=on)


def choke_on(pattern: bytes, *, on: Match = EVERYTHING) -> Fault:
    """Answer 500 where the regex is found in the target or in the body as they were sent."""

    def change(request: Request) -> Request | Response:
        sent = request.target.encode("latin-1") + b"\n" + request.body
        return Response.of(500, _CRASH) if re.search(pattern, sent) else request

    return OnRequest(change, on=on)


@dataclass(frozen=True)
class _ForgottenDeletion(Fault):
    forgotten: set[str] = field(default_factory=set, compare=False)

    def request(self, request: Request) -> Request | Response:
        if request.target in self.forgotten:
            return request
        self.forgotten.add(request.target)
        return Response.of(200, b"null")


def forget_first_deletion(*, on: Match) -> Fault:
    """Answer the first deletion of each resource with 200 and do nothing; the second one is done."""
    return _ForgottenDeletion(on=on)


@dataclass(frozen=True)
class _Ill(Fault):
    pattern: bytes
    seen: list[bytes] = field(default_factory=list, compare=False)

    def serve(self, request: Request, forward: Forward) -> Response:
        if self.seen and request.path.endswith("/health/"):
            self.seen.clear()
            return Response.of(503, b'{"detail": "unhealthy"}')
        if self.on(request) and re.search(self.pattern, request.body):
            self.seen.append(request.body)
        return forward(request)


def ill_after(pattern: bytes, *, on: Match = EVERYTHING) -> Fault:
    """Answer 503 to the next question for the health of the server after a body in which the regex is found."""
    return _Ill(pattern, on=on)
