"""Runs pytest inside pytest, with contracts of a project's own, against the shared stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_letta.stack.stack import Stack

#: Plugins of this environment that the inner runs do without.
QUIET = ("-p", "no:schemathesis", "-p", "no:cacheprovider")

HEADER = """
from pytest_letta import contract, could_not_run, must, not_applicable

"""

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run_own(pytester: pytest.Pytester, live_stack: Stack) -> Run:
    """Run contracts that the test writes itself, whose ids begin with XOWN, against the shared stack."""

    def run(source: str, *args: Any, url: str | None = None) -> pytest.RunResult:
        folder = pytester.path / "own"
        folder.mkdir(exist_ok=True)
        (folder / "test_own.py").write_text(HEADER + source)
        return pytester.runpytest_inprocess(
            *QUIET, f"--letta-url={url or live_stack.url}", "--letta-contracts", "-k=XOWN", folder, *args
        )

    return run
