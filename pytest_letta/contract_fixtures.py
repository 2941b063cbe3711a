"""The public fixtures that are for contracts, and the gate that every contract passes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta.errors import SettingsError
from pytest_letta.session import session_of

if TYPE_CHECKING:
    import httpx

    from pytest_letta.compose.file import ComposeFile
    from pytest_letta.conformance.findings import Judgement
    from pytest_letta.conformance.fuzz.generated import Generator
    from pytest_letta.conformance.sequences import Sequences
    from pytest_letta.conformance.shapes import Shapes
    from pytest_letta.deployment import Deployment
    from pytest_letta.sdk.choosing import Sdks
    from pytest_letta.settings import Settings
    from pytest_letta.stack.stack import Stack
    from pytest_letta.streaming import StreamOpener
    from pytest_letta.tls import TlsAddress


@pytest.fixture(scope="session")
def letta_compose_file(pytestconfig: pytest.Config) -> ComposeFile:
    """The compose file of ``--letta-compose``, read but not started; fails where none was given."""
    file = session_of(pytestconfig).compose_file
    if file is None:
        pytest.fail("letta_compose_file needs a compose file: give --letta-compose FILE.", pytrace=False)
    return file


@pytest.fixture(scope="session")
def letta_known(pytestconfig: pytest.Config, letta_deployment: Deployment) -> frozenset[str]:
    """Ids of the contracts that this deployment is known to break, so that others can go around what is listed."""
    from pytest_letta.conformance.known import KnownIssues

    return frozenset(KnownIssues(session_of(pytestconfig)).by_id())


@pytest.fixture(scope="session")
def letta_tls(letta_stack: Stack) -> TlsAddress:
    """The https address of the deployment, with the authority to trust; skips where there is none."""
    from pytest_letta.tls import tls_address

    address = tls_address(letta_stack)
    if address is None:
        pytest.skip("there is no address with https: give one with --letta-url or --letta-proxy-url")
    return address


@pytest.fixture(scope="session")
def letta_tls_client(
    pytestconfig: pytest.Config, letta_tls: TlsAddress, letta_client_args: dict[str, Any]
) -> Iterator[httpx.Client]:
    """The client of that address; it takes only a certificate of that authority, for that host."""
    args = {"ca_file": letta_tls.ca_file, **letta_client_args}
    with session_of(pytestconfig).client(letta_tls.url, **args) as client:
        yield client


@pytest.fixture
def letta_tls_stream(letta_tls_client: httpx.Client, letta_settings: Settings) -> StreamOpener:
    """Open the stream of a turn at that address, as ``letta_stream`` does at that of the server."""
    from pytest_letta.streaming import StreamOpener

    return StreamOpener(letta_tls_client, letta_settings.timeout)


@pytest.fixture(scope="session")
def letta_sdks(
    pytestconfig: pytest.Config, letta_deployment: Deployment, letta_client_args: dict[str, Any]
) -> Iterator[Sdks]:
    """Official clients of the server, each in a process of its own: ``letta_sdks.get("own")``, ``"newest"`` or
    ``"installed"``."""
    from pytest_letta.sdk.choosing import Sdks

    session = session_of(pytestconfig)
    args: dict[str, Any] = {
        name: letta_client_args[name] for name in ("ca_file", "headers") if name in letta_client_args
    }
    sdks = Sdks(
        letta_deployment.version,
        {
            "base_url": letta_deployment.url,
            "token": session.settings.token,
            "timeout_s": session.settings.timeout,
            **args,
        },
        cache_dir=session.settings.cache_dir,
        progress=session.progress,
        recorder=session.recorder,
    )
    yield sdks
    sdks.close()


@pytest.fixture
def letta_sequences(request: pytest.FixtureRequest) -> Sequences:
    """Run random sequences of operations with ``letta_sequences.run(Machine, examples=8, steps=15)``.

    Needs Hypothesis. The number of sequences is that of the default profile; --hypothesis-profile letta-thorough
    runs many more, --hypothesis-seed N others.
    """
    from pytest_letta.conformance.sequences import Sequences

    return Sequences(request.node, session_of(request.config).recorder)


@pytest.fixture
def letta_bad_requests(request: pytest.FixtureRequest) -> Generator:
    """Generate requests that go against the documented schema. Needs Schemathesis.

    --hypothesis-profile letta-thorough generates many more, --hypothesis-seed N others.
    """
    from pytest_letta.conformance.fuzz.generated import Generator

    return Generator(request.node)


@pytest.fixture
def letta_findings(request: pytest.FixtureRequest) -> Judgement:
    """Judge a contract by all that was found, with ``letta_findings.must_be_none(found, tried)``.

    The findings are told by their causes. Those that are listed as known leave the contract known; others fail it.
    """
    from pytest_letta.conformance.findings import Judgement

    return Judgement(request.node, session_of(request.config).recorder)


@pytest.fixture
def letta_shapes(request: pytest.FixtureRequest) -> Shapes | None:
    """What was found of the shapes of answers to earlier contracts of this process; ``None`` before the first."""
    judging = request.config.pluginmanager.get_plugin("letta-judging")
    return judging.shapes if judging is not None else None


@pytest.fixture
def letta_contract_gate(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let a contract in when the deployment claims what it needs and its turn has come.

    The first fixture of every contract, put there by the plugin.
    """
    from pytest_letta.compose import needs
    from pytest_letta.conformance.contract import contract_of
    from pytest_letta.conformance.verdicts import not_applicable

    contract = contract_of(request.node)
    assert contract is not None
    session = session_of(request.config)
    if contract.is_about_the_file:
        # Judged without a deployment: nothing is started for it, and nobody is waited for.
        for need in contract.needs:
            capability = needs.capability(need, session.compose_file)
            if not capability.available:
                not_applicable(capability.reason)
        yield
        return
    deployment: Deployment = request.getfixturevalue("letta_deployment")
    for need in contract.needs:
        found = deployment.capabilities.get(need)
        if found is None:
            raise SettingsError(f"{contract.id} needs {need!r}, which is not the name of a capability")
        if not found.available:
            not_applicable(found.reason)
    with session.turns.take(alone=contract.is_disruptive):
        yield
