"""Runs contracts on a stack, with a fault in it or without, as a run of their own, and reads its report."""

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


def judge_on(shared: Stack, pytester: pytest.Pytester) -> Judge:
    """Return ``judge(suite, keyword, fault, *options, healthy=...)``, which gives the records by contract id.

    `keyword` selects the contracts, `options` are added to the command line, and `healthy` is the stack to use in
    place of the `shared` one.
    """

    def run(
        suite: str,
        keyword: str,
        fault: CataloguedFault | StackFault | None = None,
        *options: str,
        healthy: Stack = shared,
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
