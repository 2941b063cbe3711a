"""Tests of the project; with --letta-contracts and no path, the contract suites alone."""

from __future__ import annotations

from pathlib import Path

import pytest

#: Run by tests/plugin/test_examples.py, in a project of their own.
collect_ignore = ["tests/examples"]

_TESTS = Path(__file__).parent / "tests"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the project's own tests out of a contract run that names no path."""
    asked_for_contracts = config.getoption("letta_contracts") or config.getoption("letta_suite")
    by_path = config.args_source is pytest.Config.ArgsSource.ARGS
    return True if asked_for_contracts and not by_path and _TESTS in collection_path.parents else None
