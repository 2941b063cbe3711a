"""Acts on whole process trees: the children of a service may have sessions of their own, so groups do not do."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

_GONE_LIMIT_S = 10.0
#: A signal takes effect when its process is next scheduled.
_STILL_LIMIT_S = 5.0
_STILL_POLL_S = 0.001
_POLL_S = 0.01


def tree(pid: int) -> list[psutil.Process]:
    """Return the process and its descendants, parents first; nothing when it is gone."""
    import psutil

    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def send(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    """Send a signal to those that still are who they were; psutil refuses a recycled id."""
    import psutil

    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def freeze(pid: int) -> None:
    """Stop the whole tree: parents first, again until no new child has appeared; return when it stands still."""
    stopped: set[int] = set()
    while new := [process for process in tree(pid) if process.pid not in stopped]:
        send(new, signal.SIGSTOP)
        stopped.update(process.pid for process in new)
    deadline = time.monotonic() + _STILL_LIMIT_S
    while any(_moves(process) for process in tree(pid)) and time.monotonic() < deadline:
        time.sleep(_STILL_POLL_S)


def _moves(process: psutil.Process) -> bool:
    import psutil

    try:
        return process.status() not in {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}
    except psutil.NoSuchProcess:
        return False


def thaw(pid: int) -> None:
    """Let the whole tree go on: children first, so that a parent finds them ready."""
    send(reversed(tree(pid)), signal.SIGCONT)


def wait_gone(processes: Iterable[psutil.Process], limit_s: float = _GONE_LIMIT_S) -> list[psutil.Process]:
    """Wait until all are gone, and return those that are not after `limit_s` seconds."""
    deadline = time.monotonic() + limit_s
    left = alive(processes)
    while left and time.monotonic() < deadline:
        time.sleep(_POLL_S)
        left = alive(left)
    return left


def alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return those that still live."""
    return [process for process in processes if _lives(process)]


def listens(pid: int, port: int) -> bool:
    """Tell whether the process or a descendant listens on `port`; true when the system does not let us see."""
    import psutil

    for process in tree(pid):
        try:
            connections = process.net_connections(kind="tcp")
        except psutil.NoSuchProcess:
            continue
        except psutil.AccessDenied:
            return True
        if any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in connections):
            return True
    return False


def _lives(process: psutil.Process) -> bool:
    import psutil

    try:
        # A zombie is as good as gone: it holds nothing but its id, until its parent looks.
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
