"""Random sequences as contracts: their seed, their number, and how the shortest failing one is told."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis.core
import pytest
from hypothesis import settings

SLEEPING = """
from pathlib import Path
from time import sleep

from hypothesis.stateful import RuleBasedStateMachine, rule

steps = []

@contract("XOWN-QUICK-001")
def test_quick(letta_client):
    \"\"\"It is over soon.\"\"\"

@contract("XOWN-SEQUENCE-002")
def test_sleeping(letta_client, letta_sequences):
    \"\"\"It goes on.\"\"\"

    class Sleeping(RuleBasedStateMachine):
        @rule()
        def sleep(self):
            steps.append(1)
            Path("step").write_text(str(len(steps)))
            sleep(60 if len(steps) == 1 else 0)

    letta_sequences.run(Sleeping, examples=3, steps=3)
"""

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


def test_sigterm_ends_a_run_in_the_midst_of_a_sequence(
    start_own: Callable[[str], subprocess.Popen[str]], pytester: pytest.Pytester
) -> None:
    step = pytester.path / "step"
    run = start_own(SLEEPING)
    _wait_for(step, run)

    run.terminate()
    output, _ = run.communicate(timeout=60)

    assert run.returncode == 128 + signal.SIGTERM, output
    assert step.read_text() == "1"
    assert "terminated by SIGTERM" in output
    assert "Not complete: the run was interrupted; 1 pass" in output


def _wait_for(file: Path, run: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not file.exists() and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert file.exists()


DRAWING = """
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
{loads}

@contract("XOWN-SEQUENCE-003")
def test_drawing(letta_client, letta_sequences):
    \"\"\"Texts are drawn.\"\"\"
    seen = []

    class Drawing(RuleBasedStateMachine):
        @rule(text=st.text())
        def draw(self, text):
            seen.append(text)

    letta_sequences.run(Drawing, examples=30, steps=6)
    print("drawn:", seen)
"""


def test_sequences_do_not_depend_on_what_else_is_loaded(run_own, pytester: pytest.Pytester) -> None:
    pytester.syspathinsert()
    pytester.makepyfile(texts_of_a_project=f"TEXTS = {[str(number) for number in range(300)]}")

    alone, beside = (
        re.findall("drawn: .*", run_own(DRAWING.format(loads=loads), "-rP").stdout.str())
        for loads in ("", "import texts_of_a_project")
    )

    assert len(alone) == 1
    assert alone == beside
