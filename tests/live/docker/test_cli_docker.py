"""`pytest-letta` on real stacks in containers; every stack is named, since others may use the engine too."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from live_commands import Commands, announced
from live_traces import run_folders

from pytest_letta.stack.containers.engine import Engine
from pytest_letta.stack.containers.labels import RUN


@pytest.fixture
def temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pytest-letta-test-") as folder:
        yield Path(folder)


@pytest.fixture
def commands(temporary: Path) -> Iterator[Commands]:
    made = Commands({"TMPDIR": str(temporary)})
    yield made
    for folder in run_folders(temporary):
        made.run("down", "--force", str(folder))


def made_by(engine: Engine, run: str) -> list[str]:
    """Name all that is labelled as of `run`."""
    chosen = {"label": f"{RUN}={run}"}
    client = engine.client
    containers = client.containers.list(all=True, ignore_removed=True, filters=chosen)
    found = [*containers, *client.networks.list(filters=chosen), *client.volumes.list(filters=chosen)]
    return [str(one.name) for one in found]


def listed(commands: Commands, name: str) -> dict[str, Any] | None:
    return next((one for one in commands.json("ps") if one["id"] == name), None)


def test_a_detached_stack_serves_pytest_until_it_is_ended(
    commands: Commands, temporary: Path, tmp_path: Path, engine: Engine
) -> None:
    told = commands.json("up", "--stack", "docker", "--detach")
    before = made_by(engine, told["id"])
    shown = listed(commands, told["id"])
    done = commands.pytest(tmp_path, *told["pytest"], "--letta-suite=memory", "-k", "MEM-BLOCK-001")

    assert commands.run("down", told["id"]).returncode == 0

    assert len(before) == 8
    assert shown is not None
    assert (shown["provider"], shown["state"], shown["problem"]) == ("docker", "kept", None)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (made_by(engine, told["id"]), run_folders(temporary)) == ([], [])
    assert listed(commands, told["id"]) is None


def test_a_stack_whose_folder_was_cleaned_away_is_found_by_its_containers(
    commands: Commands, temporary: Path, engine: Engine
) -> None:
    told = commands.json("up", "--stack", "docker", "--detach")
    shutil.rmtree(told["folder"])
    shown = listed(commands, told["id"])

    ended = commands.run("down", told["id"])

    assert shown is not None
    assert (shown["state"], shown["folder"]) == ("stale", None)
    assert (ended.returncode, ended.stdout) == (0, f"ended {told['id']}\n")
    assert made_by(engine, told["id"]) == []


@pytest.mark.slow
def test_a_stack_is_found_from_another_temporary_folder(commands: Commands, tmp_path: Path, engine: Engine) -> None:
    told = commands.json("up", "--stack", "docker", "--detach")
    elsewhere = Commands({"TMPDIR": str(tmp_path)})
    shown = listed(elsewhere, told["id"])

    assert elsewhere.run("down", told["id"]).returncode == 0
    assert shown is not None
    assert (shown["state"], shown["healthy"]) == ("kept", True)
    assert made_by(engine, told["id"]) == []


@pytest.mark.parametrize("by_signal", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_stack_in_the_foreground_goes_by_a_signal_or_from_elsewhere(
    commands: Commands, temporary: Path, engine: Engine, by_signal: bool
) -> None:
    with commands.started("up", "--stack", "docker", "--json") as process:
        told = announced(process)
        status = httpx.get(f"{told['proxy_url']}/v1/agents/?limit=1").status_code
        if by_signal:
            process.send_signal(signal.SIGINT)
        else:
            assert commands.run("down", told["id"]).returncode == 0
        _, err = process.communicate(timeout=120)

    assert (status, process.returncode) == (200, 0), err
    assert (made_by(engine, told["id"]), run_folders(temporary)) == ([], [])


def test_a_start_that_is_interrupted_does_not_wait_for_health_and_leaves_nothing(
    commands: Commands, temporary: Path, engine: Engine
) -> None:
    with commands.started("up", "--stack", "docker") as process:
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            run = next((one.name.rsplit("-", 1)[-1] for one in run_folders(temporary)), "none")
            if any("letta-server" in name for name in made_by(engine, run)):
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)

    assert (process.returncode, out) == (130, "")
    assert err.endswith("pytest-letta: interrupted; what was started is ended.\n")
    assert (made_by(engine, run), run_folders(temporary)) == ([], [])


def test_a_missing_image_is_one_line_with_its_remedy(commands: Commands, temporary: Path) -> None:
    done = commands.run("up", "--stack", "docker", "--image", "redis=pytest-letta/none:1")

    assert (done.returncode, done.stdout) == (1, "")
    last = done.stderr.splitlines()[-1]
    assert last.startswith("pytest-letta: the image pytest-letta/none:1 (for redis) ")
    assert "--letta-image redis=REFERENCE" in last
    assert run_folders(temporary) == []
