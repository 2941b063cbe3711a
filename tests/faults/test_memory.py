"""The memory suite: each of its contracts fails for its own reason."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from killing import collected_ids, known_ids, of_containers

from pytest_letta.faults.catalogue.memory import FAULTS
from pytest_letta.options import DEFAULT_VERSION

if TYPE_CHECKING:
    from pytest_letta.faults.fault import CataloguedFault
    from pytest_letta.faults.stack import StackFault

#: Whose sequences are shortened for most of a minute.
_SLOW = {"sequence-meets-old-prompt", "sequence-meets-halved-step"}


def test_every_contract_is_killed_by_a_fault_or_by_this_version(pytester: pytest.Pytester) -> None:
    stated = collected_ids(pytester, "memory")
    killed = {id for fault in FAULTS for id in fault.kills}
    known = known_ids(DEFAULT_VERSION, "MEM-")

    assert stated - of_containers(stated) - killed - known == set()
    assert killed | known <= stated


@pytest.mark.parametrize(
    "fault",
    [pytest.param(fault, id=fault.name, marks=[pytest.mark.slow] * (fault.name in _SLOW)) for fault in FAULTS],
)
def test_fault_is_caught_for_its_reason(judge: Any, fault: CataloguedFault | StackFault) -> None:
    records = judge("memory", " or ".join(fault.kills), fault)

    for id in fault.kills:
        assert records[id]["verdict"] == "fail", f"{id}: {records[id]['cause']}"
        assert re.search(fault.reason, records[id]["cause"]), f"{id}: {records[id]['cause']}"
