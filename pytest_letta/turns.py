"""Turns at a shared stack: many ordinary contracts at once, or one that disturbs it, alone.

File locks, because the workers of a run are processes of their own and may die at any time.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path


class Turns:
    """Shared and exclusive turns for all processes that were given the same `folder`; ``None`` means alone."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def take(self, *, alone: bool) -> AbstractContextManager[None]:
        """Return a context that holds a turn; it waits until the others allow it."""
        return nullcontext() if self._folder is None else self._locked(self._folder, alone)

    @contextmanager
    def _locked(self, folder: Path, alone: bool) -> Iterator[None]:
        # Everybody passes the gate one by one; who wants to be alone waits inside it, so that the stream of
        # ordinary contracts cannot starve him.
        with open(folder / "turn", "w") as turn:
            with open(folder / "gate", "w") as gate:
                fcntl.flock(gate, fcntl.LOCK_EX)
                fcntl.flock(turn, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield
