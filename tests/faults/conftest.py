"""Runs contracts against a healthy stack and against the same stack with a fault in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from pytest_letta.faults.fault import CataloguedFault
from pytest_letta.faults.stack import StackFault, with_fault
from pytest_letta.session import SESSION
from pytest_letta.stack.stack import Stack

Judge = Callable[..., dict[str, dict[str, Any]]]


class Adopting:
    """A plugin of the inner run: it works on a stack of the outer one."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[SESSION].adopt(self._stack)


@pytest.fixture
def judge(pytester: pytest.Pytester, live_stack: Stack) -> Judge:
    """Run the contracts that `keyword` selects, with a fault or without; return the records by contract id.

    `options` are added to the command line; `healthy` is the stack to use in place of the shared one.
    """

    def run(
        suite: str,
        keyword: str,
        fault: CataloguedFault | StackFault | None = None,
        *options: str,
        healthy: Stack = live_stack,
    ) -> dict[str, dict[str, Any]]:
        context: AbstractContextManager[Stack] = with_fault(healthy, fault) if fault else nullcontext(healthy)
        report = Path("report.json")
        with context as stack:
            pytester.inline_run(
                *("-p", "no:schemathesis", "-p", "no:cacheprovider", "-p", "no:xdist", "-q"),
                f"--letta-url={stack.url}",
                f"--letta-suite={suite}",
                f"--letta-report={report}",
                "--letta-timeout=60",
                f"-k={keyword}",
                *options,
                plugins=[Adopting(stack)],
            )
        document = json.loads(report.read_text())
        return {record["id"]: record for record in document["contracts"]}

    return run
