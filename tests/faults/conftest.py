"""Runs contracts against a healthy stack and against the same stack with a fault in it."""

from __future__ import annotations

import pytest
from judging import Judge, judge_on

from pytest_letta.stack.stack import Stack


@pytest.fixture
def judge(pytester: pytest.Pytester, live_stack: Stack) -> Judge:
    """Run the contracts that a keyword selects, with a fault or without; return the records by contract id."""
    return judge_on(live_stack, pytester)
