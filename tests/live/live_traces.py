"""What a stack leaves on the machine: processes and folders."""

from __future__ import annotations

from pathlib import Path

import psutil

from pytest_letta.stack.rundir import PREFIX


def working_in(folder: Path) -> list[psutil.Process]:
    """Return the processes that work below `folder`."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def run_folders(temporary: Path) -> list[Path]:
    """Return the folders of runs in a temporary folder."""
    return list(temporary.glob(PREFIX + "*"))
