"""What a stack says while it starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Progress(Protocol):
    """Something that can show a step while it runs."""

    def step(self, text: str, /) -> AbstractContextManager[Callable[[str], None]]:
        """Show `text`, such as ``starting postgres``, while the block runs.

        The block may call what it is given to add how far it has come, such as ``12 of 80 MB``.
        """


class Silence:
    """A progress that shows nothing."""

    @contextmanager
    def step(self, text: str, /) -> Iterator[Callable[[str], None]]:
        yield lambda detail: None
