"""The network suite: silent on a healthy stack, and each of its contracts fails for its own reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from killing import assert_killed, group_of, known_ids, of_containers, stated_ids, without_case

from pytest_letta.faults.catalogue.network import FAULTS, secured_faults
from pytest_letta.faults.fault import CataloguedFault
from pytest_letta.faults.stack import StackFault
from pytest_letta.options import DEFAULT_VERSION
from pytest_letta.settings import resolve
from pytest_letta.stack.local import LocalStack
from pytest_letta.stack.stack import Stack

_PASSWORD = "pytest-letta-right-password"
_TOKEN = f"--letta-token={_PASSWORD}"
_SECURED = secured_faults(_PASSWORD)


@pytest.fixture(scope="module")
def secured_stack(pytestconfig: pytest.Config) -> Iterator[Stack]:
    """A healthy stack that asks for a password."""
    environment = {"LETTA_SERVER_SECURE": "true", "LETTA_SERVER_PASSWORD": _PASSWORD}
    with LocalStack(cache_dir=resolve(pytestconfig).cache_dir, letta_env=environment) as stack:
        yield stack


def test_every_promise_is_kept_by_a_healthy_open_server(judge: Any) -> None:
    records = judge("network", "NET-")

    stated = stated_ids("network")
    skipped = {without_case(id) for id, record in records.items() if record["verdict"] == "not-applicable"}
    assert skipped == of_containers(stated) | {id for id in stated if id.startswith("NET-AUTH-")}
    assert {record["verdict"] for record in records.values()} == {"pass", "known", "not-applicable"}
    assert {without_case(id) for id in records} == stated


def test_every_promise_is_kept_by_a_healthy_secured_server(judge: Any, secured_stack: Stack) -> None:
    records = judge("network", "NET-", None, _TOKEN, healthy=secured_stack)

    kept = {id: record["cause"] for id, record in records.items() if record["verdict"] not in ("pass", "known")}
    assert set(kept) == of_containers(kept), kept
    assert {without_case(id) for id in records} == stated_ids("network")


def test_every_contract_is_killed_by_a_fault_or_by_this_version() -> None:
    stated = stated_ids("network")
    known = known_ids(DEFAULT_VERSION, "NET-")
    killed = {without_case(id) for fault in (*FAULTS, *_SECURED) for id in fault.kills}

    assert stated - of_containers(stated) == killed | {without_case(id) for id in known - of_containers(known)}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_caught_for_its_reason(judge: Any, fault: CataloguedFault | StackFault) -> None:
    assert_killed(judge("network", group_of(fault), fault), fault)


@pytest.mark.parametrize("fault", _SECURED, ids=lambda fault: fault.name)
def test_fault_of_a_secured_server_is_caught(judge: Any, secured_stack: Stack, fault: CataloguedFault) -> None:
    assert_killed(judge("network", " or ".join(fault.kills), fault, _TOKEN, healthy=secured_stack), fault)
