"""Faults of a server, or of a gateway before it, that mixes up users and what belongs to them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace

from pytest_letta.faults.fault import EVERYTHING, Fault, Forward, Match, OnRequest, Request, Response

_USER = "user_id"


def do_as_default(method: str, pattern: str, to: str, body: object = None, *, on: Match) -> Fault:
    """Have the default user do something in the place of the request, and give him the answer who sent it.

    ``to`` is the path for what matches ``pattern``, as in re.sub; ``body`` is sent as JSON, None sends none.
    """

    def change(request: Request) -> Request:
        sent = b"" if body is None else json.dumps(body).encode()
        target = re.sub(pattern, to, request.path)
        asked = replace(request.with_body(sent), method=method, target=target)
        return asked.without_header(_USER).with_header("Content-Type", "application/json")

    return OnRequest(change, on=on)


@dataclass(frozen=True)
class _StuckUser(Fault):
    users: list[str] = field(default_factory=list, compare=False)

    def request(self, request: Request) -> Request:
        user = request.header(_USER)
        if user is not None:
            self.users[:] = [user]
        return request.with_header(_USER, self.users[0]) if self.users else request


def stick_to_user(*, on: Match = EVERYTHING) -> Fault:
    """Take a request that names no user for one of the user who asked before."""
    return _StuckUser(on=on)


@dataclass(frozen=True)
class _Numbered(Fault):
    known: dict[str, str] = field(default_factory=dict, compare=False)

    def serve(self, request: Request, forward: Forward) -> Response:
        for number, id in self.known.items():
            request = replace(request, target=request.target.replace(number, id))
        if not self.on(request):
            return forward(request)
        response = forward(request.with_header("Accept-Encoding", "identity"))
        body = response.read()
        if response.status != 200 or "id" not in (document := json.loads(body)):
            return replace(response, chunks=(body,))
        kind = document["id"].partition("-")[0]
        number = f"{kind}-00000000-0000-4000-8000-{len(self.known) + 1:012}"
        self.known[number] = document["id"]
        return response.with_body(json.dumps({**document, "id": number}).encode())


def number_ids(*, on: Match) -> Fault:
    """Give what is created ids that are counted up; requests that name them reach the right thing."""
    return _Numbered(on=on)
