"""Holds a stack in the foreground until somebody ends it, by a signal or by `pytest-letta down`."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from pytest_letta.stack.description import Description

_PAUSE_S = 0.25
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(SystemExit):
    """A signal came that asks to end; `code` is the exit code that a shell expects then."""

    code: int


@contextmanager
def interruptible() -> Iterator[None]:
    """Have the signals that ask to end raise Interrupted in the block, the first one only; a clean-up goes on.

    Signals that are ignored, as by nohup, stay so.
    """
    before: dict[signal.Signals, Any] = {}
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, _raise)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def hold(told: Description, announce: Callable[[], None]) -> str:
    """Announce that the stack is up, wait for its end, and return who brings that about, in words.

    A signal does, or somebody else who has ended the stack: its folder is gone then.
    """
    try:
        announce()
        while Path(told.folder).exists():
            time.sleep(_PAUSE_S)
    except Interrupted:
        return f"ending {told.id} ..."
    return f"{told.id} was ended by somebody else."


def _raise(number: int, frame: FrameType | None) -> NoReturn:
    # The stack is taken down next, and whoever is impatient must not keep it from that.
    for one in _SIGNALS:
        if signal.getsignal(one) is _raise:
            signal.signal(one, signal.SIG_IGN)
    raise Interrupted(128 + number)
