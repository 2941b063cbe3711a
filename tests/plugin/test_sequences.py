"""Random sequences as contracts: their seed, their number, and how the shortest failing one is told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis.core
import pytest
from hypothesis import settings

COUNTING = """
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

@contract("XOWN-SEQUENCE-001")
def test_counting(letta_client, letta_sequences):
    \"\"\"The sum stays small.\"\"\"
    seen = []

    class Counting(RuleBasedStateMachine):
        total = 0

        @rule(number=st.integers(0, 9))
        def add(self, number):
            seen.append(number)
            self.total += number
            letta_client.post(f"/v1/agents/add-{{number}}")
            letta_client.get("/v1/health/")
            must(f"the sum is {{self.total}}" if self.total > {limit} else None)

    try:
        letta_sequences.run(Counting, examples=5, steps=6, tries={tries})
    finally:
        print("drawn:", seen)
"""


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The inner runs are in this process: what they tell Hypothesis is theirs alone."""
    profile = settings.get_current_profile_name()
    monkeypatch.setattr(hypothesis.core, "global_force_seed", None)
    yield
    settings.load_profile(profile)


def test_the_shortest_sequence_that_fails_is_told_with_its_seed(run_own) -> None:
    result = run_own(COUNTING.format(limit=12, tries=200), "--letta-report=report.json", "-rP")

    assert result.ret == 1
    (record,) = json.loads(Path("report.json").read_text())["contracts"]
    assert record["cause"].startswith("the sum is 13\n")
    assert record["cause"].count("state.add(") == 2
    assert re.fullmatch(r"(\d+) \(again with --hypothesis-seed=\1\)", record["seed"])
    sent = [line for line in record["curl"] if "POST" in line]
    assert [int(n) for line in sent for n in re.findall(r"add-(\d)", line)] == [
        int(n) for n in re.findall(r"add\(number=(\d)\)", record["cause"])
    ]
    assert sum("/v1/health/" in line for line in record["curl"]) == 2


def test_few_tries_still_tell_a_sequence_that_fails(run_own) -> None:
    result = run_own(COUNTING.format(limit=12, tries=0), "--letta-report=report.json")

    assert result.ret == 1
    (record,) = json.loads(Path("report.json").read_text())["contracts"]
    assert re.match(r"the sum is (1[3-9]|2\d)\n", record["cause"])


def test_a_gate_sees_the_same_sequences_in_every_run(run_own) -> None:
    drawn = _drawn(run_own)

    assert drawn == _drawn(run_own)
    assert drawn != _drawn(run_own, "--hypothesis-seed=5")


def test_the_thorough_profile_runs_more_of_them(run_own) -> None:
    few, many = _drawn(run_own), _drawn(run_own, "--hypothesis-profile=letta-thorough")

    assert few.count(",") < 5 * 6
    assert many.count(",") > 5 * 6 * 10


def _drawn(run_own: Any, *options: str) -> str:
    result = run_own(COUNTING.format(limit=999, tries=5), "-s", *options)
    assert result.ret == 0
    return re.findall(r"drawn: (.*)", result.stdout.str())[0]
