"""What the fault tests of the suites share: which contracts there are, and how one must die.

That healthy servers break none of them but the known ones is not shown here: ``pytest --letta-stack=local
--letta-contracts`` shows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import pytest

from pytest_letta.conformance.contract import contract_of
from pytest_letta.conformance.known import read_known
from pytest_letta.conformance.suites import known_file

_OF_CONTAINERS = ("NET-NAME-", "NET-APART-", "NET-RECREATE-", "NET-PARTITION-", "MEM-RECREATE-", "MEM-PARTITION-")
_CONTRACTS = Path(__file__).parents[1] / "contracts"


class Deadly(Protocol):
    """What a fault says of itself."""

    kills: tuple[str, ...]
    reason: str


def stated_ids(suite: str) -> set[str]:
    """Return the ids that the files of a suite state, without the cases of parametrized ones."""
    text = "".join(file.read_text(encoding="utf-8") for file in (_CONTRACTS / suite).glob("test_*.py"))
    return set(re.findall(r'@contract\(\s*"([A-Z0-9-]+)"', text))


def collected_ids(pytester: pytest.Pytester, suite: str) -> set[str]:
    """Return the ids that pytest collects for a suite, with the cases of parametrized ones; no server is asked."""
    nowhere = "--letta-url=http://127.0.0.1:1"
    items, _ = pytester.inline_genitems("-p", "no:schemathesis", "-p", "no:xdist", nowhere, f"--letta-suite={suite}")
    return {contract.id for item in items if (contract := contract_of(item))}


def known_ids(version: str | None, prefix: str) -> set[str]:
    """Return the ids with that prefix that are listed as broken by a version of the server."""
    file = known_file(version)
    return {id for id in read_known(file) if id.startswith(prefix)} if file else set()


def partly_known_ids(version: str | None, prefix: str) -> set[str]:
    """Return those of `known_ids` of which single findings are known, so that others still kill them."""
    file = known_file(version)
    known = read_known(file) if file else {}
    return {id for id, issue in known.items() if id.startswith(prefix) and issue.findings}


def without_case(id: str) -> str:
    return id.partition("[")[0]


def of_containers(ids: Iterable[str]) -> set[str]:
    """Return those of `ids` that only a stack of containers can be judged by."""
    return {id for id in ids if id.startswith(_OF_CONTAINERS)}


def _own(fault: Deadly) -> str:
    return " or ".join(fault.kills)


def group_of(fault: Deadly) -> str:
    """Return the keyword that selects the contracts that a fault kills and their neighbours."""
    return " or ".join(sorted({without_case(id).rpartition("-")[0] for id in fault.kills}))


#: What is judged with a fault: the contracts that it kills; where there is time, their neighbours too, which live.
EACH_REACH = pytest.mark.parametrize(
    "reach", [pytest.param(_own, id="own"), pytest.param(group_of, id="neighbours", marks=pytest.mark.slow)]
)
Reach = Callable[[Deadly], str]


def assert_killed(records: dict[str, dict[str, Any]], fault: Deadly) -> None:
    """The contracts that the fault names, and of those that ran no others, fail; each for the fault's reason."""
    failed = {id: record["cause"] for id, record in records.items() if record["verdict"] == "fail"}

    assert set(failed) == set(fault.kills)
    for id, cause in failed.items():
        assert re.search(fault.reason, cause, re.DOTALL), f"{id}: {cause}"
