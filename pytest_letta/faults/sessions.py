"""Faults of a server's sessions at its database: some that nobody gives back."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pytest_letta.errors import ModelError
from pytest_letta.llm import ModelControl
from pytest_letta.stack import wheels
from pytest_letta.stack.stack import Stack

_WATCH_S = 0.1
_END_LIMIT_S = 10.0
#: What leaves a session in a transaction, and what leaves it idle.
STUCK, IDLE = "BEGIN; SELECT 1;", "SELECT 1;"


class LeftSessions:
    """Sessions that are left open, as if by the server, until the context `during` ends."""

    def __init__(self, number: int, statement: str) -> None:
        self._number = number
        self._statement = statement
        self._open: list[subprocess.Popen[bytes]] = []

    @contextmanager
    def during(self, stack: Stack) -> Iterator[None]:
        """Hold what is left open meanwhile."""
        try:
            yield
        finally:
            for one in self._open:
                one.terminate()
            for one in self._open:
                one.communicate(timeout=_END_LIMIT_S)
            self._open.clear()

    def leave(self, stack: Stack) -> None:
        """Open the sessions and return when they are there."""
        psql = [str(wheels.postgres_home() / "bin" / "psql"), "-XAtq", str(stack.postgres_dsn)]
        pipe = subprocess.PIPE
        opened = [subprocess.Popen(psql, stdin=pipe, stdout=pipe, stderr=pipe) for _ in range(self._number)]
        self._open += opened
        for one in opened:
            assert one.stdin is not None
            one.stdin.write(f"{self._statement}\n".encode())
            one.stdin.flush()
        for one in opened:
            assert one.stdout is not None
            one.stdout.readline()


@contextmanager
def held_while_the_model_thinks(stack: Stack) -> Iterator[None]:
    """Leave a session in a transaction whenever the model is asked."""
    left, is_over = LeftSessions(1, STUCK), threading.Event()
    model = ModelControl(str(stack.llm_url))

    def watch(known: int) -> None:
        while not is_over.wait(_WATCH_S):
            try:
                for request in model.requests(since=known):
                    known = request.number
                    left.leave(stack)
            except ModelError:  # it is down; a new one counts anew
                known = 0

    before = max((request.number for request in model.requests()), default=0)
    watcher = threading.Thread(target=watch, args=(before,), name="sessions held", daemon=True)
    with left.during(stack):
        watcher.start()
        try:
            yield
        finally:
            is_over.set()
            watcher.join()
