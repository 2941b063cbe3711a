"""The network suite: silent on a healthy secured stack, and each of its contracts fails for its own reason."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from killing import EACH_REACH, Reach, assert_killed, known_ids, of_containers, stated_ids, without_case

from pytest_letta.faults.catalogue import network_families
from pytest_letta.faults.catalogue.network import FAULTS
from pytest_letta.faults.catalogue.network_secured import secured_faults
from pytest_letta.faults.catalogue.network_tls import FAULTS as TLS_FAULTS
from pytest_letta.faults.fault import CataloguedFault
from pytest_letta.faults.stack import StackFault
from pytest_letta.settings import resolve
from pytest_letta.stack.local import LocalStack
from pytest_letta.stack.releases import DEFAULT_VERSION
from pytest_letta.stack.stack import Stack

_PASSWORD = "pytest-letta-right-password"
_ORIGIN = "https://ade.example"
_TOKEN = f"--letta-token={_PASSWORD}"
_SECURED = secured_faults(_PASSWORD)
_KEPT = {"pass", "known", "not-applicable"}


def _has_ipv6() -> bool:
    with suppress(OSError), closing(socket.socket(socket.AF_INET6)) as one:
        one.bind(("::1", 0))
        return True
    return False


@pytest.fixture(scope="module")
def secured_stack(pytestconfig: pytest.Config) -> Iterator[Stack]:
    """A healthy stack that asks for a password."""
    secured = {"LETTA_SERVER_SECURE": "true", "LETTA_SERVER_PASSWORD": _PASSWORD}
    environment = {**secured, "ACCEPTABLE_ORIGINS": f"https://first.example,{_ORIGIN}"}
    with LocalStack(cache_dir=resolve(pytestconfig).cache_dir, letta_env=environment) as stack:
        yield stack


def test_every_promise_is_kept_by_a_healthy_secured_server(judge: Any, secured_stack: Stack) -> None:
    records = judge("network", "NET-", None, _TOKEN, f"--letta-origin={_ORIGIN}", healthy=secured_stack)

    broken = {id: record["cause"] for id, record in records.items() if record["verdict"] not in _KEPT}
    assert not broken
    skipped = {id for id, record in records.items() if record["verdict"] == "not-applicable"}
    assert skipped == of_containers(skipped)
    assert {without_case(id) for id in records} == stated_ids("network")


def test_every_contract_is_killed_by_a_fault_or_by_this_version() -> None:
    stated = stated_ids("network")
    known = {without_case(id) for id in known_ids(DEFAULT_VERSION, "NET-")}
    killed = {without_case(id) for fault in (*FAULTS, *TLS_FAULTS, *_SECURED) for id in fault.kills}
    by_a_server_without_origins = {"NET-ORIGIN-006"}

    assert stated - of_containers(stated) == (killed | known | by_a_server_without_origins) - of_containers(known)


@EACH_REACH
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_caught_for_its_reason(judge: Any, fault: CataloguedFault | StackFault, reach: Reach) -> None:
    if fault in network_families.FAULTS and not _has_ipv6():
        pytest.skip("this machine has no address ::1")
    assert_killed(judge("network", reach(fault), fault), fault)


@pytest.mark.parametrize("fault", _SECURED, ids=lambda fault: fault.name)
def test_fault_of_a_secured_server_is_caught(judge: Any, secured_stack: Stack, fault: CataloguedFault) -> None:
    keyword = " or ".join(sorted({without_case(id) for id in fault.kills}))
    assert_killed(judge("network", keyword, fault, _TOKEN, healthy=secured_stack), fault)


def test_origin_that_is_not_configured_is_told(judge: Any) -> None:
    """On the real server, which knows nothing of that origin, as after LETTA_SERVER_CORS_ORIGINS."""
    records = judge("network", "NET-ORIGIN-006", None, f"--letta-origin={_ORIGIN}")

    assert records["NET-ORIGIN-006"]["verdict"] == "fail"
    assert "Letta reads ACCEPTABLE_ORIGINS" in records["NET-ORIGIN-006"]["cause"]


@pytest.mark.slow
def test_password_alone_secures_nothing(judge: Any, pytestconfig: pytest.Config) -> None:
    """The line that people copy, on the real server: every contract of guarded routes says that it is open."""
    environment = {"LETTA_SERVER_PASSWORD": _PASSWORD}
    with LocalStack(cache_dir=resolve(pytestconfig).cache_dir, letta_env=environment) as unsecured:
        records = judge("network", "NET-AUTH-00 or NET-GUARD-00", None, _TOKEN, healthy=unsecured)

    cure = "LETTA_SERVER_PASSWORD alone protects nothing. .*letta server --secure"
    for id in ("NET-AUTH-001", "NET-AUTH-002", "NET-AUTH-003", "NET-GUARD-001[none]", "NET-GUARD-002[wrong]"):
        assert records[id]["verdict"] == "fail"
        assert re.search(cure, records[id]["cause"])
