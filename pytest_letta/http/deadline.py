"""One bound on the whole time of a request, enforced at each socket operation.

httpx's time-outs bound one operation each: a server that sends a byte every few seconds keeps a client for
ever. httpcore hands the time-out of a request down to each read and write of the network stream, so a
time-out that knows the deadline of its request is all that is needed, and nothing has to be kept per
connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class Deadline:
    """The moment at which a request must be over.

    `total_s` is the bound in seconds from now; `clock` is monotonic, in seconds.
    """

    __slots__ = ("_at", "_clock", "_restarted", "total_s")

    def __init__(self, total_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.total_s = total_s
        self._clock = clock
        self._at = clock() + total_s
        self._restarted = False

    def restart(self, total_s: float) -> None:
        """Give the rest of the request `total_s` seconds from now, in place of every earlier bound."""
        self.total_s = total_s
        self._at = self._clock() + total_s
        self._restarted = True

    def left_s(self, phase_s: float) -> float:
        """Tell how long an operation with a time-out of its own of `phase_s` may take; never negative."""
        left = max(0.0, self._at - self._clock())
        return left if self._restarted else min(phase_s, left)

    @property
    def is_over(self) -> bool:
        """Whether no time is left."""
        return self._clock() >= self._at


class Timeout(float):
    """The time-out of one phase (connect, read, write, pool) which knows the deadline of its request."""

    __slots__ = ("deadline",)
    deadline: Deadline

    @classmethod
    def of(cls, phase_s: float, deadline: Deadline) -> Timeout:
        """Bind a time-out in seconds to a deadline."""
        timeout = cls(phase_s)
        timeout.deadline = deadline
        return timeout
