"""Every documented operation as a request that does nothing, even on a server that lets it in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_letta.conformance.checks import refused
from pytest_letta.conformance.differential import Question
from pytest_letta.telling import answered

from .reads import spec_of

if TYPE_CHECKING:
    import httpx

    from pytest_letta.deployment import Deployment

_NOTHING = "00000000-0000-4000-8000-000000000000"
#: No JSON and no form, so that no route which reads its body takes it.
_BROKEN = b'{"pytest-letta":'
#: What a stranger must not read in a refusal: code, places of files, what the server is made of.
_INNARDS = re.compile(r"Traceback|File \"|site-packages|/[\w/.-]+\.py\b|postgres\w*://|sqlalchemy", re.IGNORECASE)
#: What monitors may ask for without the password (letta/server/rest_api/middleware/check_password.py).
EXEMPT = ("/v1/health", "/v1/health/", "/v1/ready", "/v1/ready/")
_ENOUGH = 5
_SHOWN = 3

CURE = (
    "the server is open: LETTA_SERVER_PASSWORD alone protects nothing. Start it with `letta server --secure` or "
    "LETTA_SERVER_SECURE=true (in the image: SECURE=true)"
)
_HOLE = "the others ask for the password: look for what lets these pass, such as a rule of a proxy or a gateway"
#: In the order in which they matter.
_KINDS = ("is let in", "tells too much", "is refused in another way than the others")


@dataclass(frozen=True)
class Door:
    """A documented operation, by its key, and the request that asks for it. `is_read`: its method is safe."""

    operation: str
    question: Question
    is_read: bool

    def ask(self, client: httpx.Client, headers: Mapping[str, str]) -> httpx.Response:
        """Send the request with these headers besides its own."""
        return replace(self.question, headers={**self.question.headers, **headers}).ask(client)


def doors(deployment: Deployment) -> list[Door]:
    """Return a door for each guarded operation that is documented, reads first; in a run that only reads, just these.

    The ids are those of nothing, and bodies are cut JSON, which no route accepts: so nothing is found, made, changed
    or deleted whoever lets the request in. What writes without an id, a required body and a required parameter would
    do its work all the same; such an operation (Letta 0.16.8 has four, such as POST /v1/tools/add-base-tools) is
    asked for with OPTIONS in place of its own method.
    """
    spec = spec_of(deployment)
    paths = spec.document["paths"]
    guarded = [one for one in spec.operations.values() if one.path not in EXEMPT]
    found = [_door(one.method, one.path, paths[one.path]) for one in guarded]
    reads = [door for door in found if door.is_read]
    return reads + [door for door in found if not door.is_read] if deployment.can("write") else reads


def _door(method: str, path: str, item: Mapping[str, Any]) -> Door:
    target, key = _filled(path), f"{method} {path}"
    if method in {"GET", "HEAD"}:
        return Door(key, Question(target, method), is_read=True)
    if _fails_by_itself(path, item[method.lower()]):
        return Door(key, Question(target, method, {"Content-Type": "application/json"}, _BROKEN), is_read=False)
    return Door(key, Question(target, "OPTIONS"), is_read=True)


def _fails_by_itself(path: str, operation: Mapping[str, Any]) -> bool:
    needed = any(one.get("required") for one in operation.get("parameters", []) if one.get("in") == "query")
    return "{" in path or needed or operation.get("requestBody", {}).get("required") is True


def _filled(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: _of_nothing(found[1]), path)


def _of_nothing(name: str) -> str:
    return f"{name.removesuffix('_id')}-{_NOTHING}" if name.endswith("_id") else "pytest-letta-nothing"


def open_doors(closed: Iterable[Door], client: httpx.Client, headers: Mapping[str, str], secret: str) -> str | None:
    """Ask at each of the doors with these credentials, and say which of them are not closed, and why.

    No write is asked for once a read was let in, and nothing more after some were: a server that is open is not
    tried any further.
    """
    wrong: dict[str, list[str]] = {}
    asked = 0
    for door in closed:
        let_in = wrong.get(_KINDS[0], [])
        if len(let_in) >= _ENOUGH or (let_in and not door.is_read):
            break
        asked += 1
        for kind, seen in _faults(door.ask(client, headers), secret):
            wrong.setdefault(kind, []).append(seen)
    return _told(wrong, asked)


def _faults(answer: httpx.Response, secret: str) -> Iterator[tuple[str, str]]:
    if answer.status_code not in {401, 403}:
        yield _KINDS[0], answered(answer)
    elif problem := leak(answer, secret):
        yield _KINDS[1], problem
    elif problem := refused(answer, 401):
        yield _KINDS[2], problem


def leak(answer: httpx.Response, secret: str) -> str | None:
    """Say what an answer gives away to a stranger, if it does: the password, or what the server is made of."""
    shown = f"{answer.headers}\n{answer.text}"
    if secret in shown:
        return f"{answered(answer)} (the password of the server is in it)"
    found = _INNARDS.search(answer.text)
    return f"{answered(answer)} (it shows {found[0]!r})" if found else None


def _told(wrong: Mapping[str, list[str]], asked: int) -> str | None:
    for kind in _KINDS:
        if seen := wrong.get(kind):
            count = f"{len(seen)} of the {asked} operations that were asked for {kind}"
            cure = "" if kind != _KINDS[0] else f" ({CURE if len(seen) == asked else _HOLE})"
            more = f"; {len(seen) - _SHOWN} more" if len(seen) > _SHOWN else ""
            return f"{count}: {'; '.join(seen[:_SHOWN])}{more}{cure}"
    return None
