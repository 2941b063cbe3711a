"""What the contracts of this suite share: both ways to the server, and an eye on the one through the proxy."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

from pytest_letta import could_not_run, not_applicable

if TYPE_CHECKING:
    import httpx

    from pytest_letta import Deployment
    from pytest_letta.agent import Agent
    from pytest_letta.ownership import Ledger
    from pytest_letta.settings import Settings
    from pytest_letta.streaming import StreamOpener

    from .modes import Speaker
    from .watch import Watch

_WATCH: pytest.StashKey[Watch] = pytest.StashKey()
#: A case has the name of its way only where that is the proxy's.
_BOTH = [pytest.param("direct", id=pytest.HIDDEN_PARAM), "proxied"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Add to a finding through the proxy what to look at in nginx."""
    try:
        return (yield)
    except Exception as error:
        if _WATCH in item.stash:
            error.add_note(item.stash[_WATCH].explain(error))
        raise


@pytest.fixture(params=_BOTH)
def route(request: pytest.FixtureRequest, letta_deployment: Deployment) -> str:
    """How the server is reached: "direct", and in a case of its own "proxied"."""
    has_proxy = letta_deployment.capabilities["proxy"]
    if request.param == "proxied" and not has_proxy.available:
        not_applicable(has_proxy.reason)
    return str(request.param)


@pytest.fixture
def watch(request: pytest.FixtureRequest, letta_proxy_client: httpx.Client) -> Iterator[Watch]:
    """The watch on the proxy for the time of the test."""
    from .watch import Watch

    request.node.stash[_WATCH] = Watch()
    with request.node.stash[_WATCH].listen(letta_proxy_client):
        yield request.node.stash[_WATCH]


@pytest.fixture
def letta_proxy_stream(letta_proxy_client: httpx.Client, letta_settings: Settings, watch: Watch) -> StreamOpener:
    """Open streams by way of the proxy, under watch."""
    from .watch import WatchedOpener

    return WatchedOpener(letta_proxy_client, letta_settings.timeout, watch)


@pytest.fixture
def opener(request: pytest.FixtureRequest, route: str) -> StreamOpener:
    """Open streams directly, and in a case of its own by way of the proxy."""
    opener: StreamOpener = request.getfixturevalue("letta_stream" if route == "direct" else "letta_proxy_stream")
    return opener


@pytest.fixture
def client(request: pytest.FixtureRequest, route: str) -> httpx.Client:
    """The client of the server, and in a case of its own that of the proxy."""
    if route == "proxied":
        request.getfixturevalue("watch")
    client: httpx.Client = request.getfixturevalue("letta_client" if route == "direct" else "letta_proxy_client")
    return client


@pytest.fixture
def conversation(letta_agent: Agent, letta_ledger: Ledger) -> str:
    """The id of a conversation of the agent."""
    made = letta_agent.client.post("/v1/conversations/", params={"agent_id": letta_agent.id}, json={})
    if made.is_error:
        could_not_run(f"no conversation could be made: {made.status_code} {made.text[:200]}")
    id = str(made.json()["id"])
    letta_ledger.enter(f"/v1/conversations/{id}")
    return id


@pytest.fixture
def speaker(request: pytest.FixtureRequest, letta_agent: Agent) -> Speaker:
    """An agent that has a conversation as soon as somebody asks for it."""
    from .modes import Speaker

    return Speaker(letta_agent, lambda: str(request.getfixturevalue("conversation")))
