"""What the contracts of this suite share: asking for what may not exist, be malformed, or be served at all."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import must, not_applicable
from pytest_letta.conformance.checks import status

from ..memory.tenants import User, must_be_told_apart, new_user
from . import shelves
from .asking import Ask, Takes, enter, send
from .estate import Estate
from .mcp import python_of
from .owners import new_owner
from .resources import KINDS, Shop, Values

if TYPE_CHECKING:
    import httpx

    from pytest_letta import Deployment
    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.handles import Handles
    from pytest_letta.ownership import Ledger
    from pytest_letta.sdk.choosing import Sdks
    from pytest_letta.sdk.client import Sdk

Fill = Callable[[int], shelves.Shelf]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the contract about the answers to all others come last."""
    items.sort(key=lambda item: item.path.name == "test_shapes.py")


@pytest.fixture
def unknown() -> str:
    """The part of an id that tells resources apart, well formed, that no resource has."""
    return str(uuid.uuid4())


@pytest.fixture
def takes(letta_deployment: Deployment) -> Takes:
    """Tell whether ``takes(method, path, *names)``: the server documents these names, or nothing at all."""
    spec = letta_deployment.spec
    return lambda method, path, *names: spec is None or spec.takes(method, path, *names)


@pytest.fixture
def word(letta_ledger: Ledger) -> str:
    """A name that no other resource has, as one word, such as the name of a function."""
    return letta_ledger.name().replace("-", "_")


@pytest.fixture
def ask(letta_client: httpx.Client, letta_deployment: Deployment, letta_ledger: Ledger) -> Ask:
    """Send ``ask(method, path, body, **query)`` and return the answer.

    A text or bytes go as they are, all else as JSON; ``None`` sends no body. The contract is not applicable where the
    server does not document the operation, or that it takes what is sent. What the request creates, wanted or not, is
    deleted at the end.
    """

    def ask(method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        answer = send(letta_client, letta_deployment, {}, method, path, body, query)
        if method == "POST" and path.count("/") == 3 and path.endswith("/") and answer.is_success:
            enter(path, answer.json(), letta_ledger)
        return answer

    return ask


@pytest.fixture(scope="session")
def python(letta_client: httpx.Client) -> str:
    """The path of a Python beside the server that can be an MCP server."""
    return python_of(letta_client)


@pytest.fixture
def ask_as(letta_deployment: Deployment) -> Callable[[User], Ask]:
    """Return ``ask_as(user)``, which sends what a user of an organization of our own asks, as ``ask`` does.

    What he creates goes with his organization.
    """

    def asking(user: User) -> Ask:
        headers = {"user_id": user.id}
        return lambda method, path, body=None, **query: send(
            user.client, letta_deployment, headers, method, path, body, query
        )

    return asking


@pytest.fixture(scope="module")
def stranger(letta_client: httpx.Client, letta_shared_ledger: Ledger) -> User:
    """A user of an organization of his own, whom the server knows by the header that he sends."""
    user = new_user(letta_client, letta_shared_ledger)
    must_be_told_apart(user, letta_shared_ledger)
    return user


@pytest.fixture
def open_shop(
    kind: str,
    request: pytest.FixtureRequest,
    takes: Takes,
    letta_deployment: Deployment,
    letta_handles: Handles,
    letta_ledger: Ledger,
    letta_agent_args: dict[str, Any],
) -> Callable[[Ask], Shop]:
    """Return ``open_shop(ask)``, which makes and reads resources of the kind that the case names."""
    for need in KINDS[kind].needs:
        if not letta_deployment.capabilities[need].available:
            not_applicable(letta_deployment.capabilities[need].reason)

    def opened(ask: Ask) -> Shop:
        def agent() -> str:
            fields = {"name": letta_ledger.name(), "tags": letta_ledger.tags, "include_base_tools": False}
            answer = ask("POST", "/v1/agents/", {**fields, **letta_handles.fields(), **letta_agent_args})
            must(status(answer))
            return str(answer.json()["id"])

        makers = {
            "name": letta_ledger.name,
            "word": lambda: letta_ledger.name().replace("-", "_"),
            "agent": agent,
            "other_agent": agent,
            "model_url": lambda: request.getfixturevalue("letta_llm").base_url,
        }
        return Shop(KINDS[kind], ask, takes, Values(makers), letta_handles.embedding_fields())

    return opened


@pytest.fixture
def shop(ask: Ask, open_shop: Callable[[Ask], Shop]) -> Shop:
    """Make and read resources of the kind that the case names."""
    return open_shop(ask)


@pytest.fixture
def folder(ask: Ask, letta_handles: Handles, letta_ledger: Ledger) -> str:
    """The path of an empty folder."""
    answer = ask("POST", "/v1/folders/", {"name": letta_ledger.name(), **letta_handles.embedding_fields()})
    must(status(answer))
    return f"/v1/folders/{answer.json()['id']}"


@pytest.fixture
def turn(letta_agent: Agent) -> dict[str, Any]:
    """A turn of ``letta_agent``: the answer to a message."""
    return letta_agent.send("Hello.")


@pytest.fixture
def sdk(request: pytest.FixtureRequest, letta_sdks: Sdks) -> Sdk:
    """The official client that the case names: the server's own, the newest or the installed one."""
    found = letta_sdks.get(request.param)
    if isinstance(found, str):
        not_applicable(found)
    return found


@pytest.fixture
def kind_of_list(request: pytest.FixtureRequest, letta_deployment: Deployment) -> shelves.Kind:
    """The kind of list that the case names, where the deployment has it."""
    chosen = shelves.KINDS[request.param]
    capability = letta_deployment.capabilities[chosen.needs]
    if not capability.available:
        not_applicable(capability.reason)
    return chosen


@pytest.fixture
def fill(
    kind_of_list: shelves.Kind, ask: Ask, takes: Takes, make_letta_agent: AgentMaker, letta_ledger: Ledger
) -> Fill:
    """Make a list of that kind with so many items of our own, or a few more."""
    return lambda many: kind_of_list.fill(shelves.Filling(ask, takes, make_letta_agent, letta_ledger, many))


@pytest.fixture
def new_estate(
    letta_deployment: Deployment, letta_client: httpx.Client, letta_ledger: Ledger, letta_handles: Handles
) -> Callable[[], Estate]:
    """Make estates: each is of a user of a new organization, so that what breaks there is nobody else's.

    Where no organization of ours can be made, they are of nobody, and nothing in them is.
    """
    return lambda: Estate(
        letta_client, new_owner(letta_deployment, letta_client, letta_ledger), letta_handles.fields()
    )


@pytest.fixture
def estate(new_estate: Callable[[], Estate]) -> Estate:
    """What is ours and can be broken."""
    return new_estate()
