"""One service of a stack, whatever it runs in, and what can be done to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Service(ABC):
    """A service of a run, at the address at which this machine reaches it."""

    name: str
    address: Address
    start_limit_s: float = 60.0

    @property
    @abstractmethod
    def is_running(self) -> bool:
        """Whether it lives (a paused one does)."""

    @property
    @abstractmethod
    def log_place(self) -> str:
        """Where its log is, as a person would look it up."""

    @abstractmethod
    def launch(self, *, cold: bool = False) -> None:
        """Start it without waiting; nothing happens when it runs. `cold`: without any short cut of ours."""

    @abstractmethod
    def stop(self) -> bool:
        """Ask it to end, and make it end if it takes too long; return whether it ended by itself."""

    @abstractmethod
    def kill(self) -> None:
        """End all of it at once with SIGKILL."""

    @abstractmethod
    def pause(self) -> None:
        """Freeze all of it; raise ServiceError when it does not run."""

    @abstractmethod
    def resume(self) -> None:
        """Let it go on; raise ServiceError when it does not run."""

    def end(self) -> None:
        """End it for good, as fast as is clean."""
        self.kill()

    @abstractmethod
    def check(self, limit_s: float) -> str | None:
        """Ask it something real: ``None`` when the answer is right, else what came within `limit_s`."""

    @abstractmethod
    def log_tail(self, lines: int = 40) -> str:
        """Return the last `lines` lines of its log; empty when there is none."""

    @abstractmethod
    def ending(self) -> str:
        """Tell how it ended, such as ``ended with 3``; for one that does not run."""

    def found_its_port_taken(self) -> bool:
        """Tell whether it ended because somebody else has its port."""
        return False

    def owns_its_port(self) -> bool:
        """Tell whether it is this service that listens, and not somebody else's on the same port."""
        return True
