"""The examples run as they stand, in a project of their own, and leave nothing behind."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from pytest_letta.stack.stack import Stack

EXAMPLES = Path(__file__).parents[1] / "examples"


def copied(pytester: pytest.Pytester) -> int:
    for file in EXAMPLES.glob("*.py"):
        (pytester.path / file.name).write_text(file.read_text())
    return sum(file.read_text().count("\ndef test_") for file in EXAMPLES.glob("test_*.py"))


def test_on_a_stack_of_our_own(pytester: pytest.Pytester) -> None:
    count = copied(pytester)
    result = pytester.runpytest_subprocess("-p", "no:schemathesis", "--letta-stack=local")

    result.assert_outcomes(passed=count)


def test_on_a_deployment_that_exists(pytester: pytest.Pytester, live_stack: Stack) -> None:
    count = copied(pytester)
    before = [httpx.get(f"{live_stack.url}/v1/{kind}/count").json() for kind in ("agents", "blocks")]
    result = pytester.runpytest_subprocess(
        "-p", "no:schemathesis", f"--letta-url={live_stack.url}", f"--letta-llm={live_stack.llm_url}"
    )

    result.assert_outcomes(passed=count - 4, skipped=4)
    assert [httpx.get(f"{live_stack.url}/v1/{kind}/count").json() for kind in ("agents", "blocks")] == before
