"""Asks for what the server documents, and notes what that creates."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from pytest_letta import not_applicable

if TYPE_CHECKING:
    import httpx

    from pytest_letta import Deployment
    from pytest_letta.ownership import Ledger
    from pytest_letta.spec import Spec

#: ``ask(method, path, body, **query)`` sends a request and returns the answer.
Ask = Callable[..., "httpx.Response"]
#: ``takes(method, path, *names)`` tells whether the server documents these names, in the query or the body.
Takes = Callable[..., bool]


def send(
    client: httpx.Client,
    deployment: Deployment,
    headers: dict[str, str],
    method: str,
    path: str,
    body: Any,
    query: dict[str, Any],
) -> httpx.Response:
    """Send a request that the server documents, and return the answer.

    A text or bytes go as they are, all else as JSON; ``None`` sends no body. The contract is not applicable where the
    server does not document the operation, or that it takes what is sent.
    """
    if deployment.spec is not None:
        _must_be_documented(deployment.spec, method, path, body, query)
    # ASCII, so that lone surrogates can be sent, and infinities by the names that Python gives them.
    content = body if isinstance(body, bytes | str | None) else json.dumps(body)
    sent = headers if content is None else {"Content-Type": "application/json", **headers}
    return client.request(method, path, content=content, headers=sent, params=query or None)


def _must_be_documented(spec: Spec, method: str, path: str, body: Any, query: Any) -> None:
    asked, _, rest = path.partition("?")
    key = spec.operation_for(method, asked)
    if key is None:
        not_applicable(f"this server does not document {method} {asked}")
    names = {*query, *(name for name, _ in parse_qsl(rest, keep_blank_values=True))}
    if unknown := sorted(name for name in names if not spec.takes(method, asked, name)):
        not_applicable(f"this server does not document that {key} takes {', '.join(unknown)}")
    if isinstance(body, dict) and body and not spec.has_body(key):
        not_applicable(f"this server does not document that {key} takes a body")


def enter(path: str, created: Any, ledger: Ledger) -> None:
    """Note for deletion what a POST to `path` created, and the blocks that came with it."""
    if isinstance(created, dict) and "id" in created:
        for block in (created.get("memory") or {}).get("blocks", ()):
            ledger.enter(f"/v1/blocks/{block['id']}")
        ledger.enter(f"{path}{created['id']}")
