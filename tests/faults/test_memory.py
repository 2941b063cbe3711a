"""The memory suite: silent on a healthy stack, and each of its contracts fails for its own reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta.conformance.known import read_known
from pytest_letta.conformance.suites import known_file
from pytest_letta.faults.catalogue.memory import FAULTS

if TYPE_CHECKING:
    from pytest_letta.faults.fault import CataloguedFault
    from pytest_letta.faults.stack import StackFault
    from pytest_letta.stack.stack import Stack

_CONTRACTS = Path(__file__).parents[2] / "contracts" / "memory"
_HEALTHY = {"pass", "known", "not-applicable"}


def _known(version: str | None) -> set[str]:
    file = known_file(version)
    return {id for id in read_known(file) if id.startswith("MEM-")} if file else set()


def _stated_ids() -> Iterator[str]:
    for file in sorted(_CONTRACTS.glob("test_*.py")):
        yield from re.findall(r'@contract\(\s*"(MEM-[A-Z0-9-]+)"', file.read_text(encoding="utf-8"))


def _without_case(id: str) -> str:
    return id.partition("[")[0]


def test_healthy_stack_keeps_every_promise_but_the_known_ones(judge: Any, live_stack: Stack) -> None:
    records = judge("memory", "MEM-")

    broken = {id: record["cause"] for id, record in records.items() if record["verdict"] not in _HEALTHY}
    assert broken == {}
    assert {_without_case(id) for id in records} == set(_stated_ids())
    assert {id for id, record in records.items() if record["verdict"] == "known"} == _known(live_stack.version)
    unproven = set(records) - {id for fault in FAULTS for id in fault.kills} - _known(live_stack.version)
    assert unproven == set(), "contracts that no fault of the catalogue kills"


def test_ids_are_unique() -> None:
    ids = list(_stated_ids())

    assert len(ids) == len(set(ids))
    assert {_without_case(id) for fault in FAULTS for id in fault.kills} <= set(ids)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_caught_for_its_reason(judge: Any, fault: CataloguedFault | StackFault) -> None:
    records = judge("memory", " or ".join(fault.kills), fault)

    for id in fault.kills:
        assert records[id]["verdict"] == "fail", f"{id}: {records[id]['cause']}"
        assert re.search(fault.reason, records[id]["cause"]), f"{id}: {records[id]['cause']}"
