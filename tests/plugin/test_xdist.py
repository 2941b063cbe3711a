"""Under xdist: one stack, one report, one summary."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pytest_letta.stack.stack import Stack

MANY = """
import pytest
from pytest_letta import contract, must

@pytest.mark.parametrize("n", range(4))
@contract("XOWN-MANY-001")
def test_many(letta_client, letta_deployment, record_property, n):
    record_property("url", letta_deployment.url)
    must(None if letta_client.get("/v1/health/").status_code == 200 else "no health")
"""

NAMING = """
import pytest

@pytest.mark.parametrize("n", range(8))
def test_name(letta_ledger, record_property, n):
    record_property("name", letta_ledger.name())
"""

FAILING = """
@contract("XOWN-FAIL-001")
def test_fails(letta_client):
    letta_client.get("/v1/health/")
    must("it was wrong")
"""

RESTARTING = """
@contract("XOWN-SECOND-001", needs=["second", "query"])
def test_second(letta_stack, letta_second):
    names = letta_stack.query("SELECT datname FROM pg_database WHERE datname LIKE 'letta%'")
    must(None if names == [{"datname": "letta"}] else f"databases {names}")
    must(None if letta_second("empty").get("/v1/agents/?limit=1").json() == [] else "agents on an empty database")

@contract("XOWN-RESTART-001", needs=["restart"])
def test_restarts(letta_stack, letta_client):
    letta_stack.restart("letta")
    must(None if letta_client.get("/v1/health/").status_code == 200 else "no health after a restart")
"""


def test_verdicts_of_all_workers_reach_one_report(pytester: pytest.Pytester, live_stack: Stack) -> None:
    folder = pytester.mkdir("own")
    (folder / "test_own.py").write_text(MANY + FAILING)
    result = pytester.runpytest_subprocess(
        *("-p", "no:schemathesis", "-n", "2", "--letta-contracts", "-k=XOWN", folder, "--letta-report=report.json"),
        f"--letta-url={live_stack.url}",
    )

    assert result.ret == 1
    document = json.loads(Path("report.json").read_text())
    assert document["summary"]["pass"] == 4
    assert document["summary"]["fail"] == 1
    assert document["target"]["url"] == live_stack.url
    result.stdout.fnmatch_lines(["FAIL  XOWN-FAIL-001 (MUST)*", "  seen     it was wrong", "*curl*/v1/health/*"])


def test_workers_share_one_stack_and_can_restart_it(pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("own")
    (folder / "test_own.py").write_text(MANY + RESTARTING)
    result = pytester.runpytest_subprocess(
        *("-p", "no:schemathesis", "-n", "2", "--letta-contracts", "-k=XOWN", folder, "--junit-xml=junit.xml"),
        "--letta-stack=local",
    )

    assert result.ret == 0
    urls = {line for line in Path("junit.xml").read_text().split('"') if line.startswith("http://127.0.0.1:")}
    assert len(urls) == 1


def test_names_of_two_workers_differ(pytester: pytest.Pytester, live_stack: Stack) -> None:
    pytester.makepyfile(NAMING)
    result = pytester.runpytest_subprocess(
        *("-p", "no:schemathesis", "-n", "2", "--dist=each", "--junit-xml=junit.xml"),
        f"--letta-url={live_stack.url}",
    )

    assert result.ret == 0
    names = re.findall(r'name="name" value="(\S+)"', Path("junit.xml").read_text())
    assert len(set(names)) == len(names) == 16
