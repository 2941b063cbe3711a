"""What the contracts of this suite share: two organizations, agents with a past."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from pytest_letta import not_applicable

from .estate import Estate
from .keepsakes import Keepsakes
from .operations import Operation
from .tenants import User, must_be_told_apart, new_user

if TYPE_CHECKING:
    import httpx

    from pytest_letta import Deployment
    from pytest_letta.agent import AgentMaker
    from pytest_letta.handles import Handles
    from pytest_letta.llm import ModelControl
    from pytest_letta.ownership import Ledger

Try = Callable[..., "httpx.Response"]


@pytest.fixture(scope="module")
def stranger(letta_client: httpx.Client, letta_shared_ledger: Ledger) -> User:
    """A user of an organization of his own, whom the server knows by the header that he sends."""
    user = new_user(letta_client, letta_shared_ledger)
    must_be_told_apart(user, letta_shared_ledger)
    return user


@pytest.fixture(scope="module")
def newcomer(letta_client: httpx.Client, letta_shared_ledger: Ledger, stranger: User) -> User:
    """A user of an organization in which nothing was ever made."""
    return new_user(letta_client, letta_shared_ledger)


@pytest.fixture(scope="module")
def estate(
    letta_client: httpx.Client, letta_deployment: Deployment, letta_handles: Handles, letta_shared_ledger: Ledger
) -> Estate:
    """What the default user has; nobody else is of his organization for the tests."""

    def ask(method: str, path: str, body: object = None) -> httpx.Response:
        return letta_client.request(method, path, json=body)

    ledger = letta_shared_ledger
    return Estate(ask, letta_deployment, ledger, letta_handles.fields(), enter=ledger.enter)


@pytest.fixture(scope="module")
def own_estate(
    stranger: User, letta_deployment: Deployment, letta_handles: Handles, letta_shared_ledger: Ledger
) -> Estate:
    """What the stranger has; it goes with his organization. A new one has no base tools."""
    fields = {**letta_handles.fields(), "include_base_tools": False}
    return Estate(stranger.ask, letta_deployment, letta_shared_ledger, fields, enter=lambda path: None)


@pytest.fixture
def attempt(letta_deployment: Deployment, stranger: User, estate: Estate, own_estate: Estate) -> Try:
    """Return ``attempt(operation, by=somebody)``, the answer to the stranger's request, or to somebody else's.

    With `watched`, what the owner has is looked at before. The contract is not applicable where the operation is
    not documented.
    """

    def ask(operation: Operation, by: User | Estate = stranger, *, watched: bool = False) -> httpx.Response:
        spec = letta_deployment.spec
        if spec is not None and spec.operation_for(operation.method, operation.path) is None:
            not_applicable(f"this server does not document {operation.method} {operation.path.partition('?')[0]}")
        path, body, _ = json.loads(own_estate.fill(estate.fill(operation.text), mine="my_"))
        if watched:
            estate.look_at(operation.text)
        return by.ask(operation.method, path, body)

    return ask


@pytest.fixture
def keepsakes(
    make_letta_agent: AgentMaker, letta_client: httpx.Client, letta_ledger: Ledger, letta_llm: ModelControl
) -> Keepsakes:
    """Two agents with blocks, one of them shared, passages and a turn."""
    return Keepsakes(make_letta_agent, letta_client, letta_ledger, letta_llm)
