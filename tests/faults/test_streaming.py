"""The streaming suite: each of its contracts fails for its own reason."""

from __future__ import annotations

from typing import Any

import pytest
from killing import EACH_REACH, Reach, assert_killed, collected_ids, group_of, known_ids, stated_ids, without_case

from pytest_letta.faults.catalogue.streaming import FAULTS
from pytest_letta.faults.fault import CataloguedFault
from pytest_letta.options import DEFAULT_VERSION

#: Whose contract waits for half a minute before it fails.
_SLOW = {"silence-of-a-background-stream", "silence-of-a-resume"}


def test_every_contract_is_killed_by_a_fault_or_by_this_version() -> None:
    killed = {without_case(id) for fault in FAULTS for id in fault.kills}
    known = {without_case(id) for id in known_ids(DEFAULT_VERSION, "SSE-")}

    assert stated_ids("streaming") == killed | known


def test_every_case_by_way_of_the_proxy_is_killed_by_a_fault_of_the_proxy(pytester: pytest.Pytester) -> None:
    killed = {id for fault in FAULTS if getattr(fault, "via", "target") == "proxy" for id in fault.kills}
    cases = {id for id in collected_ids(pytester, "streaming") if "proxied" in id}

    assert cases - killed == known_ids(DEFAULT_VERSION, "SSE-") & cases


@EACH_REACH
@pytest.mark.parametrize(
    "fault",
    [pytest.param(fault, id=fault.name, marks=[pytest.mark.slow] * (fault.name in _SLOW)) for fault in FAULTS],
)
def test_fault_is_caught_for_its_reason(judge: Any, fault: CataloguedFault, reach: Reach) -> None:
    # What is asked through the proxy passes a fault of the server's address by, and the other way round.
    ways = "not proxied" if getattr(fault, "via", "target") == "target" else "(proxied or ARRIVAL or PROXY)"
    assert_killed(judge("streaming", f"({reach(fault)}) and {ways}", fault), fault)


def test_fault_of_the_proxy_leaves_what_is_asked_directly_alive(judge: Any) -> None:
    fault = next(fault for fault in FAULTS if fault.name == "proxy-ends-streams-early")

    records = judge("streaming", group_of(fault), fault)

    assert {id for id in records if "proxied" not in id} > set()
    assert_killed(records, fault)
