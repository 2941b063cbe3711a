"""The public fixtures that are for contracts, and the gate that every contract passes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from pytest_letta.errors import SettingsError
from pytest_letta.session import session_of

if TYPE_CHECKING:
    from pytest_letta.compose.file import ComposeFile
    from pytest_letta.conformance.sequences import Sequences
    from pytest_letta.deployment import Deployment


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


@pytest.fixture
def letta_sequences(request: pytest.FixtureRequest) -> Sequences:
    """Run random sequences of operations with ``letta_sequences.run(Machine, examples=8, steps=15)``.

    Needs Hypothesis. The number of sequences is that of the default profile; --hypothesis-profile letta-thorough
    runs many more, --hypothesis-seed N others.
    """
    from pytest_letta.conformance.sequences import Sequences

    return Sequences(request.node, session_of(request.config).recorder)


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
