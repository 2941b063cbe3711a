"""The rest suite: each of its contracts fails for its own reason."""

from __future__ import annotations

from typing import Any

import pytest
from killing import EACH_REACH, Reach, assert_killed, collected_ids, known_ids, partly_known_ids

from pytest_letta.faults.catalogue.rest import FAULTS
from pytest_letta.faults.catalogue.rest_sdk import OF_AN_OPEN_SERVER
from pytest_letta.faults.fault import CataloguedFault
from pytest_letta.options import DEFAULT_VERSION


def test_every_contract_is_killed_by_a_fault_or_by_this_version(pytester: pytest.Pytester) -> None:
    killed = {id for fault in FAULTS for id in fault.kills} | set(OF_AN_OPEN_SERVER)

    partly_known = partly_known_ids(DEFAULT_VERSION, "REST-")
    assert killed - partly_known == collected_ids(pytester, "rest") - known_ids(DEFAULT_VERSION, "REST-")


@EACH_REACH
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_caught_for_its_reason(judge: Any, fault: CataloguedFault, reach: Reach) -> None:
    assert_killed(judge("rest", reach(fault), fault), fault)


def test_open_server_is_caught_by_the_official_client(judge: Any) -> None:
    records = judge("rest", " or ".join(OF_AN_OPEN_SERVER), None, "--letta-token=some-password")

    assert {id: record["verdict"] for id, record in records.items()} == dict.fromkeys(OF_AN_OPEN_SERVER, "fail")
    for record in records.values():
        assert "the client raised nothing (expected AuthenticationError)" in record["cause"]
