"""What a stack says while it starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Progress(Protocol):
    """Something that can show a step while it runs."""

    def step(self, text: str, /) -> AbstractContextManager[None]:
        """Show `text`, such as ``starting postgres``, while the block runs."""


class Silence:
    """A progress that shows nothing."""

    @contextmanager
    def step(self, text: str, /) -> Iterator[None]:
        yield
