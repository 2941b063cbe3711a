"""The interface of every stack, whoever started it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from pytest_letta.errors import StackError
from pytest_letta.stack.service import Address

#: Everything that a whole stack is made of, by the names that its methods take.
SERVICES = ("postgres", "redis", "llm", "letta", "nginx")

#: What a stack may be able to do to its services.
ACTIONS = frozenset({"restart", "kill", "pause", "logs"})


class Stack(ABC):
    """Services by name, with the addresses at which they answer.

    Arguments and results of all methods can be pickled, so that worker processes can share one stack. A method
    that a stack is not capable of raises StackError; ask `can` first.
    """

    provider: ClassVar[str]
    version: str | None = None
    services: tuple[str, ...]
    url: str  #: base URL of the Letta server itself
    proxy_url: str | None = None  #: base URL of the proxy before it
    llm_url: str | None = None  #: base URL of the scripted model, without ``/v1``
    postgres_dsn: str | None = None
    redis_url: str | None = None

    @abstractmethod
    def can(self, action: str) -> bool:
        """Tell whether the stack can ``restart``, ``kill``, ``pause`` or show the ``logs`` of its services."""

    def address(self, service: str) -> Address:
        """Return where `service` listens."""
        raise self._refusal("tell the address of", service)

    def start(self, service: str) -> None:
        """Start `service` and return when it is healthy; raise ServiceError otherwise."""
        raise self._refusal("start", service)

    def stop(self, service: str) -> None:
        """Ask `service` to end, and make it end if it takes too long."""
        raise self._refusal("stop", service)

    def restart(self, service: str, *, cold: bool = False) -> None:
        """Stop `service` in order, start it, and return when it is healthy; raise ServiceError otherwise."""
        raise self._refusal("restart", service)

    def kill(self, service: str) -> None:
        """End `service` with SIGKILL, as a crash does, and return when it is gone."""
        raise self._refusal("kill", service)

    def pause(self, service: str) -> None:
        """Freeze `service`: it keeps its connections and answers nothing."""
        raise self._refusal("pause", service)

    def resume(self, service: str) -> None:
        """Let a paused `service` go on."""
        raise self._refusal("resume", service)

    def logs(self, service: str, lines: int = 40) -> str:
        """Return the last `lines` lines that `service` logged."""
        raise self._refusal("show the logs of", service)

    @abstractmethod
    def close(self) -> None:
        """End whatever was started; a second call does nothing."""

    def _refusal(self, action: str, service: str) -> StackError:
        return StackError(f"the {self.provider} provider cannot {action} {service!r}.")
