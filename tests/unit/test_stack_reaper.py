"""The reaper ends what a killed owner left behind, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from pytest_letta.stack import reaper
from pytest_letta.stack.process_service import plain_environment, spawn
from pytest_letta.stack.rundir import KEPT, LOCK, PREFIX, RunDir

# An owner that starts a service with a child in a session of its own, tells the ids, and waits to be killed.
_OWNER = dedent(
    """
    import sys, time
    from pathlib import Path
    from pytest_letta.stack.rundir import RunDir
    from pytest_letta.stack.process_service import spawn

    run = RunDir(Path(sys.argv[1]))
    command = ["sh", "-c", "setsid sleep 300 & echo $$ $!; wait"]
    environment = {"PATH": "/bin:/usr/bin"}
    service = spawn(run, "redis", command, environment=environment, folder=run.folder("redis"), stdout=1)
    time.sleep(300)
    """
)


@pytest.fixture
def orphaned(tmp_path: Path) -> Iterator[tuple[Path, list[psutil.Process]]]:
    """The folder of a killed owner, and the service and its child that still run."""
    path = tmp_path / f"{PREFIX}orphaned"
    with subprocess.Popen([sys.executable, "-c", _OWNER, str(path)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        members = [psutil.Process(int(word)) for word in owner.stdout.readline().split()]
        owner.kill()
    yield path, members
    for process in members:
        if process.is_running():
            process.kill()


@pytest.fixture
def bystander(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the user, in a folder that the reaper goes through."""
    with subprocess.Popen(["sleep", "300"], cwd=tmp_path) as process:
        yield process
        process.kill()


def is_alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def make_folder_of_dead_owner(parent: Path) -> Path:
    run = RunDir(parent / f"{PREFIX}dead")
    run.release()
    return run.path


def test_services_of_a_killed_owner_are_ended_with_their_children(
    orphaned: tuple[Path, list[psutil.Process]], tmp_path: Path
) -> None:
    path, members = orphaned
    alive_before = [is_alive(process) for process in members]

    removed = reaper.reap(tmp_path)

    assert alive_before == [True, True]
    assert [is_alive(process) for process in members] == [False, False]
    assert removed == [path]
    assert not path.exists()


def test_services_of_a_living_owner_stay(tmp_path: Path) -> None:
    run = RunDir(tmp_path / f"{PREFIX}living")
    service = spawn(
        run, "redis", ["sleep", "300"], environment=plain_environment(run.path), folder=run.folder("redis")
    )
    try:
        removed = reaper.reap(tmp_path)
        code = service.poll()
    finally:
        service.kill()
        service.wait()
        run.release()

    assert (removed, code) == ([], None)
    assert run.path.exists()


def test_a_stack_that_was_kept_on_purpose_stays(orphaned: tuple[Path, list[psutil.Process]], tmp_path: Path) -> None:
    path, members = orphaned
    (path / KEPT).touch()

    assert reaper.reap(tmp_path) == []
    assert all(is_alive(process) for process in members)


def test_a_process_that_got_a_recycled_id_survives(tmp_path: Path, bystander: subprocess.Popen[bytes]) -> None:
    path = make_folder_of_dead_owner(tmp_path)
    with subprocess.Popen(["sleep", "300"], cwd=path) as later:
        pid_file = path / "pids" / "redis"
        pid_file.write_text(f"{later.pid}\n")
        # Written an hour before that process began: the one that wrote it is gone.
        os.utime(pid_file, (0, psutil.Process(later.pid).create_time() - 3600))
        reaper.reap(tmp_path)
        code = later.poll()
        later.kill()

    assert code is None
    assert not path.exists()


def test_a_process_that_never_worked_in_the_folder_survives(
    tmp_path: Path, bystander: subprocess.Popen[bytes]
) -> None:
    path = make_folder_of_dead_owner(tmp_path)
    (path / "pids" / "redis").write_text(f"{bystander.pid}\n")

    reaper.reap(tmp_path)

    assert bystander.poll() is None
    assert not path.exists()


def test_a_shell_of_the_user_that_sits_in_the_folder_survives(tmp_path: Path) -> None:
    path = make_folder_of_dead_owner(tmp_path)
    with subprocess.Popen(["sleep", "300"], cwd=path) as shell:
        reaper.reap(tmp_path)
        code = shell.poll()
        shell.kill()

    assert code is None
    assert not path.exists()


@pytest.mark.parametrize("content", ["", "no number", "-1", "0", "99999999"])
def test_a_pid_file_without_a_process_is_passed_over(tmp_path: Path, content: str) -> None:
    path = make_folder_of_dead_owner(tmp_path)
    (path / "pids" / "redis").write_text(content)

    assert reaper.reap(tmp_path) == [path]


def test_folders_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / "pytest-letta-turns-x").mkdir()
    just_being_made = tmp_path / f"{PREFIX}new"
    just_being_made.mkdir()
    target = tmp_path / "target"
    target.mkdir()
    (target / LOCK).touch()
    (tmp_path / f"{PREFIX}link").symlink_to(target)

    assert reaper.reap(tmp_path) == []
    assert (target / LOCK).exists()
    assert just_being_made.exists()
