"""Every operation of Letta 0.16.8 that is not deprecated is exercised by a contract, or listed with a reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_letta.conformance.suites import unexercised_file
from pytest_letta.report.operations import read_reasons

#: Names the report of a run of all contracts on a local stack, which takes minutes; without it, there is another one.
_REPORT = "FULL_RUN_REPORT"


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a run of all contracts on a local stack tells of the operations."""
    report = Path(os.environ.get(_REPORT) or tmp_path_factory.mktemp("full-run") / "report.json")
    if _REPORT not in os.environ:
        run = [sys.executable, "-m", "pytest", "-p", "no:schemathesis", "--letta-contracts", "--letta-stack=local"]
        subprocess.run([*run, f"--letta-report={report}"], cwd=report.parent, check=True)
    return json.loads(report.read_text(encoding="utf-8"))["operations"]


def test_every_operation_is_exercised_or_listed_with_a_reason(operations: Any) -> None:
    unexercised = set(operations["unexercised"]) - set(operations["deprecated"])

    assert (operations["documented"], len(operations["deprecated"])) == (249, 48)
    assert unexercised == set(read_reasons(unexercised_file()))
