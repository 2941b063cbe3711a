"""Runs pytest inside pytest, with contracts of a project's own, against the shared stack."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
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
        return pytester.runpytest_inprocess(*_arguments(pytester.path, source, url or live_stack.url), *args)

    return run


@pytest.fixture
def start_own(pytester: pytest.Pytester, live_stack: Stack) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Begin such a run in a process of its own, which is killed at the end of the test if it still runs."""
    with ExitStack() as started:

        def start(source: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-m", "pytest", *_arguments(pytester.path, source, live_stack.url)]
            run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            started.enter_context(run)
            started.callback(run.kill)  # before it is waited for
            return run

        yield start


def _arguments(path: Path, source: str, url: str) -> list[str]:
    folder = path / "own"
    folder.mkdir(exist_ok=True)
    (folder / "test_own.py").write_text(HEADER + source)
    return [*QUIET, f"--letta-url={url}", "--letta-contracts", "-k=XOWN", str(folder)]
