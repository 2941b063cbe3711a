"""Where users cannot be told apart, the contracts about tenants say so: they neither pass nor raise an alarm."""

from __future__ import annotations

from typing import Any

from pytest_letta.faults.fault import CataloguedFault
from pytest_letta.faults.net import drop_request_header

_FAULT = CataloguedFault(
    name="gateway-drops-the-user", kills=(), reason="", make=lambda: drop_request_header("user_id")
)
#: Concern ids alone: no other user is needed.
_WITHOUT_USERS = "MEM-TENANT-009"


def test_a_gateway_that_drops_the_user_makes_them_not_applicable_with_the_remedy(judge: Any) -> None:
    records = judge("memory", f"MEM-TENANT and not {_WITHOUT_USERS}", _FAULT)

    assert len(records) > 100
    assert {record["verdict"] for record in records.values()} == {"not-applicable"}
    assert all("underscores_in_headers on" in record["cause"] for record in records.values())
