"""What a stack in containers leaves behind: nothing, however its owner ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import dedent

import pytest

from pytest_letta.stack.containers import labels, reaper
from pytest_letta.stack.containers.engine import Engine
from pytest_letta.stack.docker import DockerStack

_OWNER = dedent(
    """
    import sys
    from pytest_letta.stack.docker import DockerStack

    with DockerStack():
        print("open", flush=True)
        sys.stdin.read()
    """
)
_IMAGE = "redis:7-alpine"


def ours(engine: Engine) -> list[str]:
    """Name everything on the engine that any run of ours made."""
    chosen = {"label": labels.RUN}
    client = engine.client
    containers = client.containers.list(all=True, ignore_removed=True, filters=chosen)
    found = [*containers, *client.networks.list(filters=chosen), *client.volumes.list(filters=chosen)]
    return sorted(str(one.name) for one in found)


@contextmanager
def owner() -> Iterator[subprocess.Popen[str]]:
    """Run a stack in a process of its own, which ends with its input."""
    with subprocess.Popen([sys.executable, "-c", _OWNER], stdin=-1, stdout=-1, stderr=-1, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def labelled(engine: Engine, tmp_path: Path) -> Iterator[Path]:
    """A folder of a run; whatever is labelled as of run ``feedc0de`` goes at the end."""
    yield tmp_path
    reaper.end(engine, "feedc0de")


def make_all(engine: Engine, marks: dict[str, str]) -> None:
    engine.client.networks.create("pytest-letta-feedc0de", labels=marks)
    engine.client.volumes.create("pytest-letta-feedc0de", labels=marks)
    engine.client.containers.run(
        _IMAGE, name="pytest-letta-feedc0de", labels=marks, detach=True, network="pytest-letta-feedc0de"
    )


@pytest.fixture
def others(engine: Engine) -> set[str]:
    """What other runs, and people, have on this engine while the test begins."""
    return set(ours(engine))


@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_owners_leave_nothing_once_the_next_has_started(engine: Engine, others: set[str], kills: int) -> None:
    seen = 0
    for kill in range(kills):
        with owner() as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(1.5 + kill * 5 / kills)  # from before the first container to when all of them run
            process.send_signal(signal.SIGKILL)
        seen += len(set(ours(engine)) - others)
    assert seen > kills  # there was something to leave

    with DockerStack() as stack:
        left = {name for name in ours(engine) if stack.run_id not in name}

    assert left - others == set()
    assert set(ours(engine)) - others == set()


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
def test_an_ended_pytest_run_leaves_nothing(
    pytester: pytest.Pytester, engine: Engine, others: set[str], number: signal.Signals
) -> None:
    pytester.makepyfile(
        """
        import pathlib, time

        def test_it(letta_stack):
            pathlib.Path("started").touch()
            time.sleep(120)
        """
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:schemathesis", "--letta-stack=docker"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        deadline = time.monotonic() + 240
        while not Path("started").exists() and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        before = set(ours(engine)) - others
        run.send_signal(number)
        run.wait(60)

    assert len(before) == 8
    assert set(ours(engine)) - others == set()


def test_what_a_living_owner_made_stays(engine: Engine, others: set[str]) -> None:
    with owner() as process:
        deadline = time.monotonic() + 120
        while not (made := set(ours(engine)) - others) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        reaper.reap(engine)

        assert made != set()
        assert made <= set(ours(engine))


def test_what_is_kept_on_purpose_stays(engine: Engine, labelled: Path) -> None:
    make_all(engine, labels.labels_of("feedc0de", labelled, keep=True))

    assert "feedc0de" not in reaper.reap(engine)
    assert ours(engine).count("pytest-letta-feedc0de") == 3


def test_what_another_machine_made_stays_while_it_is_young(engine: Engine, labelled: Path) -> None:
    marks = labels.labels_of("feedc0de", labelled, keep=False)
    make_all(engine, {**marks, "pytest-letta.owner": "0123456789abcdef"})

    assert "feedc0de" not in reaper.reap(engine)
    assert ours(engine).count("pytest-letta-feedc0de") == 3


def test_what_a_dead_owner_made_goes(engine: Engine, labelled: Path) -> None:
    make_all(engine, labels.labels_of("feedc0de", labelled, keep=False))

    assert "feedc0de" in reaper.reap(engine)
    assert "pytest-letta-feedc0de" not in ours(engine)


def test_what_is_not_ours_is_never_touched(engine: Engine) -> None:
    bystander = engine.client.containers.run(_IMAGE, name="pytest-letta-bystander", detach=True)
    try:
        reaper.reap(engine)
        bystander.reload()
        assert bystander.status == "running"
    finally:
        bystander.remove(force=True, v=True)
