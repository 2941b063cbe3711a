"""The memory suite: silent on a healthy stack, and each of its contracts fails for its own reason."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from killing import known_ids, of_containers, stated_ids, without_case

from pytest_letta.faults.catalogue.memory import FAULTS

if TYPE_CHECKING:
    from pytest_letta.faults.fault import CataloguedFault
    from pytest_letta.faults.stack import StackFault
    from pytest_letta.stack.stack import Stack

_HEALTHY = {"pass", "known", "not-applicable"}


def test_healthy_stack_keeps_every_promise_but_the_known_ones(judge: Any, live_stack: Stack) -> None:
    records = judge("memory", "MEM-")

    broken = {id: record["cause"] for id, record in records.items() if record["verdict"] not in _HEALTHY}
    assert broken == {}
    assert {without_case(id) for id in records} == stated_ids("memory")
    known = known_ids(live_stack.version, "MEM-")
    known -= of_containers(known)
    assert {id for id, record in records.items() if record["verdict"] == "known"} == known
    unproven = set(records) - {id for fault in FAULTS for id in fault.kills} - known - of_containers(records)
    assert unproven == set(), "contracts that no fault of the catalogue kills"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_caught_for_its_reason(judge: Any, fault: CataloguedFault | StackFault) -> None:
    records = judge("memory", " or ".join(fault.kills), fault)

    for id in fault.kills:
        assert records[id]["verdict"] == "fail", f"{id}: {records[id]['cause']}"
        assert re.search(fault.reason, records[id]["cause"]), f"{id}: {records[id]['cause']}"
