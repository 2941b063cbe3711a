"""The streaming suite: each of its contracts fails for its own reason."""

from __future__ import annotations

from typing import Any

import pytest
from killing import assert_killed, group_of, known_ids, stated_ids, without_case

from pytest_letta.faults.catalogue.streaming import FAULTS
from pytest_letta.faults.fault import CataloguedFault
from pytest_letta.options import DEFAULT_VERSION


def test_every_contract_is_killed_by_a_fault_or_by_this_version() -> None:
    killed = {without_case(id) for fault in FAULTS for id in fault.kills}
    known = {without_case(id) for id in known_ids(DEFAULT_VERSION, "SSE-")}

    assert stated_ids("streaming") == killed | known


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_caught_for_its_reason(judge: Any, fault: CataloguedFault) -> None:
    assert_killed(judge("streaming", group_of(fault), fault), fault)
