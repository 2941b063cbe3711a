"""The public fixtures, each a few lines over a plain class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta.errors import PytestLettaError
from pytest_letta.session import session_of

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.deployment import Deployment
    from pytest_letta.handles import Handles
    from pytest_letta.llm import ModelControl
    from pytest_letta.ownership import Ledger
    from pytest_letta.second import SecondStarter
    from pytest_letta.settings import Settings
    from pytest_letta.stack.stack import Stack
    from pytest_letta.streaming import StreamOpener

# --- override points: define a fixture of the same name in your conftest.py -----------------------------


@pytest.fixture(scope="session")
def letta_stack_args() -> dict[str, Any]:
    """Arguments of the stack, such as ``letta_env``. Override this fixture to configure the server."""
    return {}


@pytest.fixture(scope="session")
def letta_client_args() -> dict[str, Any]:
    """Arguments of the HTTP clients, such as ``headers``. Override this fixture to add your own."""
    return {}


@pytest.fixture
def letta_agent_args() -> dict[str, Any]:
    """Fields of each new agent. Override this fixture if your agents need blocks, tools or a system prompt."""
    return {}


# --- the deployment --------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def letta_settings(pytestconfig: pytest.Config) -> Settings:
    """What this run was asked to do, resolved from options, environment and ini file."""
    return session_of(pytestconfig).settings


@pytest.fixture(scope="session")
def letta_stack(pytestconfig: pytest.Config, letta_stack_args: dict[str, Any]) -> Stack:
    """The services behind the deployment: restart, stop, pause, logs, addresses. Ask ``can(action)`` first."""
    session = session_of(pytestconfig)
    try:
        stack = session.stack(letta_stack_args)
    except PytestLettaError as error:
        pytest.fail(str(error), pytrace=False)
    from pytest_letta.stack.noted import NotedStack

    return NotedStack(stack, session.recorder.note)


@pytest.fixture(scope="session")
def letta_deployment(pytestconfig: pytest.Config, letta_stack_args: dict[str, Any]) -> Deployment:
    """The deployment under test: URLs, version, capabilities."""
    try:
        return session_of(pytestconfig).deployment(letta_stack_args)
    except PytestLettaError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def letta_url(letta_deployment: Deployment) -> str:
    """Base URL of the server, without a trailing slash."""
    return letta_deployment.url


@pytest.fixture(scope="session")
def letta_proxy_url(letta_deployment: Deployment) -> str | None:
    """Base URL of the SSE proxy in front of the server, or ``None`` when there is none."""
    return letta_deployment.proxy_url


# --- clients -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def letta_client(
    pytestconfig: pytest.Config, letta_deployment: Deployment, letta_client_args: dict[str, Any]
) -> Iterator[httpx.Client]:
    """An httpx client of the server: base URL, password, timeout and recording are set."""
    with session_of(pytestconfig).client(letta_deployment.url, **letta_client_args) as client:
        yield client


@pytest.fixture(scope="session")
def letta_proxy_client(
    pytestconfig: pytest.Config, letta_deployment: Deployment, letta_client_args: dict[str, Any]
) -> Iterator[httpx.Client]:
    """The same client by way of the SSE proxy; skips where there is no proxy."""
    if letta_deployment.proxy_url is None:
        pytest.skip("there is no proxy: give --letta-proxy-url URL")
    with session_of(pytestconfig).client(letta_deployment.proxy_url, **letta_client_args) as client:
        yield client


@pytest.fixture
def letta_async_client(
    pytestconfig: pytest.Config, letta_deployment: Deployment, letta_client_args: dict[str, Any]
) -> httpx.AsyncClient:
    """An unopened httpx.AsyncClient of the server: ``async with letta_async_client as client``."""
    return session_of(pytestconfig).async_client(letta_deployment.url, **letta_client_args)


@pytest.fixture(scope="session")
def letta_sdk(
    pytestconfig: pytest.Config, letta_deployment: Deployment, letta_client_args: dict[str, Any]
) -> Iterator[Any]:
    """A ``letta_client.Letta`` of the server, over a client like ``letta_client``; skips where there is none."""
    why = "letta_sdk needs letta-client, which is not installed: pip install 'pytest-letta[sdk]'"
    sdk = pytest.importorskip("letta_client", reason=why)
    session = session_of(pytestconfig)
    token, timeout = session.settings.token, session.settings.timeout
    with session.client(letta_deployment.url, **letta_client_args) as http:
        http.follow_redirects = True  # as that of the SDK does
        yield sdk.Letta(base_url=letta_deployment.url, api_key=token or "none", timeout=timeout, http_client=http)


@pytest.fixture
def letta_second(
    pytestconfig: pytest.Config, letta_stack: Stack, letta_client_args: dict[str, Any]
) -> Iterator[SecondStarter]:
    """Start a second server with ``letta_second(database)``, which gives its client; it ends when the test ends."""
    from pytest_letta.second import SecondStarter

    session = session_of(pytestconfig)
    starter = SecondStarter(letta_stack, lambda url: session.client(url, **letta_client_args))
    yield starter
    starter.close()


# --- agents and turns --------------------------------------------------------------------------------------


@pytest.fixture
def letta_ledger(pytestconfig: pytest.Config, letta_client: httpx.Client) -> Iterator[Ledger]:
    """Names for what the test creates; what is entered here is deleted by id when the test ends."""
    ledger = session_of(pytestconfig).ledger()
    yield ledger
    if not session_of(pytestconfig).settings.keep:
        ledger.clear(letta_client)


@pytest.fixture(scope="module")
def letta_shared_ledger(pytestconfig: pytest.Config, letta_client: httpx.Client) -> Iterator[Ledger]:
    """The same for what the tests of one module share: deleted when the last of them has ended."""
    session = session_of(pytestconfig)
    ledger = session.ledger()
    yield ledger
    if not session.settings.keep:
        with session.turns.take(alone=False):
            ledger.clear(letta_client)


@pytest.fixture(scope="session")
def letta_handles(pytestconfig: pytest.Config, letta_client: httpx.Client) -> Handles:
    """Model and embedding handle of new agents."""
    try:
        return session_of(pytestconfig).handles(letta_client)
    except PytestLettaError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def make_letta_agent(
    letta_client: httpx.Client,
    letta_handles: Handles,
    letta_ledger: Ledger,
    letta_agent_args: dict[str, Any],
) -> Iterator[AgentMaker]:
    """Create an agent with ``make_letta_agent(**fields)``; it is removed when the test ends."""
    from pytest_letta.agent import AgentMaker

    maker = AgentMaker(letta_client, letta_handles, letta_ledger, letta_agent_args)
    yield maker
    maker.note_archives()


@pytest.fixture
def letta_agent(make_letta_agent: AgentMaker, letta_agent_args: dict[str, Any]) -> Agent:
    """A fresh agent, with the blocks ``human`` and ``persona`` unless ``letta_agent_args`` names others."""
    blocks = [{"label": "human", "value": "Name unknown."}, {"label": "persona", "value": "Helpful."}]
    return make_letta_agent(**{"memory_blocks": blocks, **letta_agent_args})


@pytest.fixture(scope="session")
def letta_llm(pytestconfig: pytest.Config, letta_stack: Stack) -> ModelControl:
    """Script and inspect the model; fails where the deployment does not use the scripted one."""
    from pytest_letta.llm import ModelControl

    url = session_of(pytestconfig).llm_url
    if url is None:
        pytest.fail(
            "letta_llm needs the scripted model: run `python -m pytest_letta.llm`, set OPENAI_API_BASE of the "
            "deployment to it, and give --letta-llm URL.",
            pytrace=False,
        )
    return ModelControl(url)


@pytest.fixture
def letta_stream(letta_client: httpx.Client, letta_settings: Settings) -> StreamOpener:
    """Open the stream of a turn: ``with letta_stream(agent, "Hi", tokens=True) as stream``."""
    from pytest_letta.streaming import StreamOpener

    return StreamOpener(letta_client, letta_settings.timeout)


@pytest.fixture
def letta_proxy_stream(letta_proxy_client: httpx.Client, letta_settings: Settings) -> StreamOpener:
    """The same by way of the SSE proxy."""
    from pytest_letta.streaming import StreamOpener

    return StreamOpener(letta_proxy_client, letta_settings.timeout)
