"""The contracts that need containers: silent on a healthy stack, and each of them fails for its own reason."""

from __future__ import annotations

import pytest
from judging import Judge, judge_on
from killing import assert_killed, known_ids, of_containers, stated_ids, without_case

from pytest_letta.faults.catalogue.containers import FAULTS
from pytest_letta.faults.fault import CataloguedFault
from pytest_letta.faults.stack import StackFault
from pytest_letta.stack.docker import DockerStack

_SUITES = {"memory": "MEM-", "network": "NET-"}
#: Seconds for a request; contracts wait twice as long for a service that does not come back.
_PATIENCE = "--letta-timeout=8"


@pytest.fixture
def judge(pytester: pytest.Pytester, docker_stack: DockerStack) -> Judge:
    """Run the contracts that a keyword selects on a stack of containers; return the records by contract id."""
    return judge_on(docker_stack, pytester)


@pytest.mark.parametrize("suite", _SUITES)
def test_every_promise_but_the_known_ones_is_kept_by_healthy_containers(
    judge: Judge, docker_stack: DockerStack, suite: str
) -> None:
    stated = of_containers(stated_ids(suite))

    records = judge(suite, " or ".join(sorted(stated)))

    assert {id: one["cause"] for id, one in records.items() if one["verdict"] not in {"pass", "known"}} == {}
    assert {without_case(id) for id in records} == stated
    known = of_containers(known_ids(docker_stack.version, _SUITES[suite]))
    assert {id for id, record in records.items() if record["verdict"] == "known"} == known
    killed = {id for fault in FAULTS for id in fault.kills if id.startswith(_SUITES[suite])}
    assert set(records) - known == killed, "contracts against those that a fault kills"


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_caught_for_its_reason(judge: Judge, fault: CataloguedFault | StackFault) -> None:
    records = {}
    for suite, prefix in _SUITES.items():
        if wanted := [id for id in fault.kills if id.startswith(prefix)]:
            records |= judge(suite, " or ".join(wanted), fault, _PATIENCE)

    assert_killed(records, fault)
