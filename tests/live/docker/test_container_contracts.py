"""The contracts that need containers: silent on a healthy stack, and each of them fails for its own reason."""

from __future__ import annotations

import pytest
from judging import Judge, judge_on
from killing import assert_killed, known_ids, stated_ids, without_case

from pytest_letta.faults.catalogue.containers import FAULTS
from pytest_letta.faults.fault import CataloguedFault
from pytest_letta.faults.stack import StackFault
from pytest_letta.stack.docker import DockerStack

_KINDS = {"network": ("NET-NAME-", "NET-RECREATE-", "NET-PARTITION-"), "memory": ("MEM-RECREATE-", "MEM-PARTITION-")}
#: Seconds for a request; contracts wait twice as long for a service that does not come back.
_PATIENCE = "--letta-timeout=8"


@pytest.fixture
def judge(pytester: pytest.Pytester, docker_stack: DockerStack) -> Judge:
    """Run the contracts that a keyword selects on a stack of containers; return the records by contract id."""
    return judge_on(docker_stack, pytester)


def of_containers(suite: str) -> set[str]:
    """Return the ids of the suite that are about containers."""
    return {id for id in stated_ids(suite) if id.startswith(_KINDS[suite])}


@pytest.mark.parametrize("suite", _KINDS)
def test_every_promise_but_the_known_ones_is_kept_by_healthy_containers(
    judge: Judge, docker_stack: DockerStack, suite: str
) -> None:
    records = judge(suite, " or ".join(_KINDS[suite]))

    known = {id for id in known_ids(docker_stack.version, "") if id.startswith(_KINDS[suite])}
    kept = {id: record["cause"] for id, record in records.items() if record["verdict"] != "pass"}
    assert set(kept) == known, kept
    assert {without_case(id) for id in records} == of_containers(suite)
    assert set(records) - known == {id for fault in FAULTS for id in fault.kills if id.startswith(_KINDS[suite])}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_caught_for_its_reason(judge: Judge, fault: CataloguedFault | StackFault) -> None:
    records = {}
    for suite, kinds in _KINDS.items():
        wanted = [id for id in fault.kills if id.startswith(kinds)]
        if wanted:
            records |= judge(suite, " or ".join(wanted), fault, _PATIENCE)

    assert_killed(records, fault)
