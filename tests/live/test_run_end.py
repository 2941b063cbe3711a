"""However a run ends, it leaves nothing running; after SIGKILL the next start clears up."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

SLEEPING = """
import pathlib, time

def test_it(letta_stack):
    pathlib.Path("started").write_text(letta_stack.url)
    time.sleep(120)
"""


def children_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def is_running(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def wait_until_gone(processes: list[psutil.Process], limit_s: float = 30) -> list[psutil.Process]:
    """Return those that still run after `limit_s` seconds."""
    deadline = time.monotonic() + limit_s
    while (alive := [one for one in processes if is_running(one)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    return alive


def folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("pytest-letta-*"))


@pytest.fixture
def sleeping_run(pytester: pytest.Pytester) -> Iterator[subprocess.Popen[str]]:
    """A pytest run in the middle of a test, with its stack up."""
    pytester.makepyfile(SLEEPING)
    command = [sys.executable, "-m", "pytest", "-p", "no:schemathesis", "--letta-stack=local"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        deadline = time.monotonic() + 300
        while not Path("started").exists() and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        if not Path("started").exists():
            run.kill()
            pytest.fail(f"the run did not start its stack:\n{run.stdout.read() if run.stdout else ''}")
        yield run
        run.kill()


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 2), (signal.SIGTERM, 128 + signal.SIGTERM)])
def test_a_signal_ends_the_run_in_order(sleeping_run: subprocess.Popen[str], sent: signal.Signals, code: int) -> None:
    before = folders()
    services = children_of(sleeping_run)

    sleeping_run.send_signal(sent)

    assert sleeping_run.wait(timeout=60) == code
    assert wait_until_gone(services) == []
    assert len(before - folders()) >= 1


def test_the_next_run_clears_up_after_sigkill(sleeping_run: subprocess.Popen[str], pytester: pytest.Pytester) -> None:
    services = children_of(sleeping_run)
    names = {name for one in services for name in [one.name()]}
    assert {"postgres", "redis-server", "nginx"} <= names

    sleeping_run.kill()
    sleeping_run.wait(timeout=10)
    left = folders()
    pytester.makepyfile("def test_it(letta_stack): pass")
    result = pytester.runpytest_subprocess("-p", "no:schemathesis", "--letta-stack=local")

    result.assert_outcomes(passed=1)
    assert wait_until_gone(services) == []
    assert len(left - folders()) >= 1
