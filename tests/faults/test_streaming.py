"""The streaming suite: silent on a healthy stack, and each of its contracts fails for its own reason."""

from __future__ import annotations

from typing import Any

import pytest
from killing import assert_killed, group_of, known_ids, stated_ids, without_case

from pytest_letta.faults.catalogue.streaming import FAULTS
from pytest_letta.faults.fault import CataloguedFault
from pytest_letta.stack.stack import Stack


def test_every_promise_but_the_known_ones_is_kept(judge: Any, live_stack: Stack) -> None:
    records = judge("streaming", "SSE-")

    assert {id: record["cause"] for id, record in records.items() if record["verdict"] not in {"pass", "known"}} == {}
    assert {id for id, record in records.items() if record["verdict"] == "known"} == known_ids(
        live_stack.version, "SSE-"
    )
    assert {without_case(id) for id in records} == stated_ids("streaming")


def test_every_contract_is_killed_by_a_fault_or_by_this_version(live_stack: Stack) -> None:
    killed = {without_case(id) for fault in FAULTS for id in fault.kills} | {
        without_case(id) for id in known_ids(live_stack.version, "SSE-")
    }

    assert stated_ids("streaming") == killed


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_caught_for_its_reason(judge: Any, fault: CataloguedFault) -> None:
    assert_killed(judge("streaming", group_of(fault), fault), fault)
