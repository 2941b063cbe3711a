"""What the contracts of this suite share: asking for what may not exist, be malformed, or be served at all."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import not_applicable

from .shelves import KINDS, Filling, Kind, Shelf

if TYPE_CHECKING:
    import httpx

    from pytest_letta import Deployment
    from pytest_letta.agent import AgentMaker
    from pytest_letta.ownership import Ledger

Ask = Callable[..., "httpx.Response"]
Fill = Callable[[int], Shelf]


@pytest.fixture
def unknown() -> str:
    """The part of an id that tells resources apart, well formed, that no resource has."""
    return str(uuid.uuid4())


@pytest.fixture
def ask(letta_client: httpx.Client, letta_deployment: Deployment, letta_ledger: Ledger) -> Ask:
    """Send ``ask(method, path, body, **query)`` and return the answer.

    A text or bytes go as they are, all else as JSON; ``None`` sends no body. The contract is not applicable where the
    server does not document the operation. What the request creates, wanted or not, is deleted at the end.
    """

    def send(method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        spec = letta_deployment.spec
        if spec is not None and spec.operation_for(method, path) is None:
            not_applicable(f"this server does not document {method} {path.partition('?')[0]}")
        # ASCII, so that lone surrogates can be sent, and infinities by the names that Python gives them.
        content = body if isinstance(body, bytes | str | None) else json.dumps(body)
        headers = {} if content is None else {"Content-Type": "application/json"}
        answer = letta_client.request(method, path, content=content, headers=headers, params=query or None)
        if method == "POST" and path.count("/") == 3 and path.endswith("/") and answer.is_success:
            _enter(path, answer.json(), letta_ledger)
        return answer

    return send


def _enter(path: str, created: Any, ledger: Ledger) -> None:
    if isinstance(created, dict) and "id" in created:
        for block in (created.get("memory") or {}).get("blocks", ()):
            ledger.enter(f"/v1/blocks/{block['id']}")
        ledger.enter(f"{path}{created['id']}")


@pytest.fixture
def kind_of_list(request: pytest.FixtureRequest, letta_deployment: Deployment) -> Kind:
    """The kind of list that the case names, where the deployment has it."""
    chosen = KINDS[request.param]
    capability = letta_deployment.capabilities[chosen.needs]
    if not capability.available:
        not_applicable(capability.reason)
    return chosen


@pytest.fixture
def fill(kind_of_list: Kind, ask: Ask, make_letta_agent: AgentMaker, letta_ledger: Ledger) -> Fill:
    """Make a list of that kind with so many items of our own, or a few more."""
    return lambda many: kind_of_list.fill(Filling(ask, make_letta_agent, letta_ledger, many))
