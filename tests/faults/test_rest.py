"""The rest suite: silent on a healthy stack, and each of its contracts fails for its own reason."""

from __future__ import annotations

from typing import Any

import pytest
from killing import assert_killed, group_of, known_ids, stated_ids, without_case

from pytest_letta.faults.catalogue.rest import FAULTS
from pytest_letta.faults.fault import CataloguedFault
from pytest_letta.stack.stack import Stack


def test_every_promise_but_the_known_ones_is_kept_and_each_can_be_broken(judge: Any, live_stack: Stack) -> None:
    records = judge("rest", "REST-")

    known = known_ids(live_stack.version, "REST-")
    assert {id: record["cause"] for id, record in records.items() if record["verdict"] not in {"pass", "known"}} == {}
    assert {id for id, record in records.items() if record["verdict"] == "known"} == known
    assert {without_case(id) for id in records} == stated_ids("rest")
    assert {id for fault in FAULTS for id in fault.kills} == set(records) - known


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_caught_for_its_reason(judge: Any, fault: CataloguedFault) -> None:
    assert_killed(judge("rest", group_of(fault), fault), fault)
