"""A deployment that is not ours is restarted by the command that its owner gave."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import pytest

from pytest_letta.errors import StackError
from pytest_letta.stack.external import ExternalStack
from pytest_letta.stack.stack import Stack


def test_persistence_contracts_become_applicable(pytester: pytest.Pytester, live_stack: Stack) -> None:
    result = pytester.runpytest_inprocess(
        *("-p", "no:schemathesis", f"--letta-url={live_stack.url}", "--letta-suite=memory"),
        *(f"--letta-restart={sys.executable} -c pass", "-k=MEM-RESTART-001", "--letta-report=report.json"),
    )

    assert result.ret == 0
    document = json.loads(Path("report.json").read_text())
    assert [one["verdict"] for one in document["contracts"]] == ["pass"]


def test_without_the_command_they_say_how_to_enable_them(pytester: pytest.Pytester, live_stack: Stack) -> None:
    result = pytester.runpytest_inprocess(
        *("-p", "no:schemathesis", f"--letta-url={live_stack.url}", "--letta-suite=memory", "-k=MEM-RESTART-001")
    )

    assert result.ret == 5
    result.stdout.fnmatch_lines(["Not applicable (1): MEM-RESTART-001", "*--letta-restart*"])


def test_a_command_that_fails_is_told_with_its_output(live_stack: Stack) -> None:
    stack = ExternalStack(live_stack.url, None, "echo no such container >&2; exit 3")

    with pytest.raises(StackError, match=r"ended with 3:\nno such container"):
        stack.restart("letta")


def test_nothing_else_can_be_done_to_it(live_stack: Stack) -> None:
    stack = ExternalStack(live_stack.url, None, "true")

    assert stack.can("restart")
    assert not stack.can("kill")
    with pytest.raises(StackError, match="cannot kill"):
        stack.kill("letta")


def test_a_server_that_stays_down_is_noticed() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(StackError, match="was not healthy 1 s after --letta-restart"):
        ExternalStack(url, None, "true", return_limit_s=1).restart("letta")
