"""The fixture `letta_sdk`: the official client of this environment, bounded and recorded as our own clients are."""

from __future__ import annotations

import pytest

from pytest_letta.stack.stack import Stack

TEST = """
def test_it(letta_sdk, letta_agent):
    assert letta_sdk.agents.retrieve(letta_agent.id).name == letta_agent.state["name"]
    answer = letta_sdk.agents.messages.create(letta_agent.id, messages=[{"role": "user", "content": "Hi."}])
    assert answer.stop_reason.stop_reason == "end_turn"
"""


def test_official_client_works(pytester: pytest.Pytester, live_stack: Stack) -> None:
    pytest.importorskip("letta_client", reason="the extra sdk is not installed")
    pytester.makepyfile(TEST)
    to = (f"--letta-url={live_stack.url}", f"--letta-llm={live_stack.llm_url}")
    result = pytester.runpytest_subprocess("-p", "no:schemathesis", *to)

    result.assert_outcomes(passed=1)


def test_without_the_official_client_the_remedy_is_told(pytester: pytest.Pytester, live_stack: Stack) -> None:
    pytester.makepyfile(TEST)
    pytester.makeconftest("import sys\nsys.modules['letta_client'] = None\n")
    result = pytester.runpytest_subprocess("-p", "no:schemathesis", "-rs", f"--letta-url={live_stack.url}")

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*pip install 'pytest-letta?sdk?'*"])
