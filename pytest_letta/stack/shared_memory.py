"""Gives back the shared memory segment of a Postgres that was killed."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from pathlib import Path

_REMOVE = 0  # IPC_RMID
_PID_FILE = "postmaster.pid"
_KEY_LINE = 6


def release(data: Path) -> None:
    """Remove the System V segment that the dead server of the folder `data` held, if there still is one.

    Postgres does so itself when it ends in order or is started again on its data; after a kill nobody would, and a
    machine has 4,096 of them. Its ``postmaster.pid`` names key and id of the segment in its seventh line.
    """
    with suppress(OSError, ValueError, IndexError):
        key, identity = map(int, (data / _PID_FILE).read_text().splitlines()[_KEY_LINE].split())
        libc = ctypes.CDLL(None)
        # The key still stands for that id: it was not removed and taken by another since.
        if libc.shmget(ctypes.c_int(key), 0, 0) == identity:
            libc.shmctl(identity, _REMOVE, None)
