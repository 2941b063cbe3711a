"""Ends what stacks of killed owners left behind, and nothing else."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_letta.errors import StackError
from pytest_letta.stack import processes, shared_memory
from pytest_letta.stack.rundir import CONTAINERS, KEPT, LOCK, PREFIX

if TYPE_CHECKING:
    import psutil

# A process writes its file right after it began, so one that began later than the file was written has only got
# the same id. The tolerance is for the clocks: the start of a process is known to 10 ms, from the time since boot.
_CLOCK_TOLERANCE_S = 2.0
_QUIT_LIMIT_S = 5.0


def reap(parent: Path | None = None) -> list[Path]:
    """Remove the run folders in `parent` (``None``: the system's temporary folder) whose owners are gone.

    Whatever services of theirs still run are ended first. Folders of other users, of living owners and those that
    were kept on purpose stay. Returns the folders that were removed.
    """
    removed = []
    for path in run_folders(parent):
        if not (path / KEPT).exists() and _reap_one(path):
            removed.append(path)
    return removed


def end(run: Path) -> list[str]:
    """End the services that are recorded in the folder `run`, whoever owns it, and remove it.

    Returns what did not go, in words. Its containers are ended too; raises EngineError when it has some and no
    engine answers, and leaves the folder then.
    """
    if (run / CONTAINERS).exists():
        end_containers((run / CONTAINERS).read_text())
    left = [f"process {process.pid}" for process in _end(services(run))]
    for data in run.glob("postgres*/data"):
        shared_memory.release(data)
    shutil.rmtree(run, ignore_errors=True)
    return [*left, f"folder {run}"] if run.exists() else left


def end_containers(run_id: str) -> None:
    """Remove what is labelled as of the run `run_id` from the engine; raise EngineError when none answers."""
    from pytest_letta.stack.containers import reaper
    from pytest_letta.stack.containers.engine import Engine

    engine = Engine.connect()
    try:
        reaper.end(engine, run_id)
    finally:
        engine.close()


def services(run: Path) -> list[psutil.Process]:
    """Return the processes that are recorded in the folder `run` and still live, with their descendants."""
    return [process for pid_file in _pid_files(run) for process in _recorded(pid_file, run)]


def is_found(run: Path) -> bool:
    """Tell whether `run_folders` finds the folder `run` in the system's temporary folder."""
    return run in run_folders()


def run_folders(parent: Path | None = None) -> Iterator[Path]:
    """Give the run folders of this user in `parent` (``None``: the system's temporary folder)."""
    for path in (parent or Path(tempfile.gettempdir())).resolve().glob(PREFIX + "*"):
        with suppress(FileNotFoundError):
            status = path.lstat()
            if status.st_uid == os.geteuid() and path.is_dir() and not path.is_symlink():
                yield path


def _reap_one(path: Path) -> bool:
    # The lock gets its name only when it is held, so a folder without one is just being made.
    with suppress(FileNotFoundError):
        descriptor = os.open(path / LOCK, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            end(path)
        except (BlockingIOError, StackError):
            return False  # somebody's who lives, or containers of an engine that is away
        finally:
            os.close(descriptor)
        return True
    return False


def _pid_files(run: Path) -> list[Path]:
    folder = run / "pids"
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _recorded(pid_file: Path, run: Path) -> list[psutil.Process]:
    """Return the process that wrote `pid_file`, with its descendants, if it lives and is still that process."""
    import psutil

    try:
        found = processes.tree(int(pid_file.read_text()))
        if found and _is_writer(found[0], pid_file, run):
            return found
    except (OSError, ValueError, psutil.Error):
        pass  # never written, or gone meanwhile
    return []


def _is_writer(process: psutil.Process, pid_file: Path, run: Path) -> bool:
    began_before = process.create_time() <= pid_file.stat().st_mtime + _CLOCK_TOLERANCE_S
    # All our services work below their run folder; a process that got a recycled id hardly does.
    return began_before and Path(process.cwd()).is_relative_to(run)


def _end(members: Sequence[psutil.Process]) -> list[psutil.Process]:
    processes.send(members, signal.SIGCONT)
    postmasters = [process for process in members if _is_postmaster(process)]
    # Asked to quit, Postgres gives back its shared memory segment; a kill would leave that to the machine.
    processes.send(postmasters, signal.SIGQUIT)
    processes.wait_gone(postmasters, _QUIT_LIMIT_S)
    processes.send(members, signal.SIGKILL)
    return processes.wait_gone(members)


def _is_postmaster(process: psutil.Process) -> bool:
    import psutil

    with suppress(psutil.Error):
        parent = process.parent()
        return process.name() == "postgres" and (parent is None or parent.name() != "postgres")
    return False
