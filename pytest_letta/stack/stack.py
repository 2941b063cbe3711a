"""The interface of every stack, whoever started it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pytest_letta.errors import StackError
from pytest_letta.stack.service import Address

#: Everything that a whole stack is made of, by the names that its methods take.
SERVICES = ("postgres", "redis", "llm", "letta", "nginx")

#: What a stack may be able to do to its services.
ACTIONS = frozenset(
    {"restart", "kill", "pause", "reload", "logs", "partition", "recreate", "execute", "query", "second"}
)

#: What a second server can be started on: see `Stack.start_second`.
DATABASES = ("same", "empty", "dump", "copy")


@dataclass(frozen=True, slots=True)
class Execution:
    """What a command inside a service answered: its exit code, and its standard output and error together."""

    exit_code: int
    output: str


@dataclass(frozen=True, slots=True)
class SecondServer:
    """A second server of a stack: its base URL, and where the database that it is on is reached from here."""

    database: str  #: one of DATABASES
    url: str
    postgres_dsn: str


class Stack(ABC):
    """Services by name, with the addresses at which they answer.

    Arguments and results of all methods can be pickled, so that worker processes can share one stack. A method
    that a stack is not capable of raises StackError; ask `can` first.
    """

    provider: ClassVar[str]
    version: str | None = None
    services: tuple[str, ...]
    actions: frozenset[str] = frozenset()  #: those of ACTIONS that it is capable of
    url: str  #: base URL of the Letta server itself
    proxy_url: str | None = None  #: base URL of the proxy before it
    tls_url: str | None = None  #: base URL of that proxy with https
    ca_file: str | None = None  #: PEM file of the authority that clients of `tls_url` trust; None: the usual ones
    llm_url: str | None = None  #: base URL of the scripted model, without ``/v1``
    postgres_dsn: str | None = None
    redis_url: str | None = None

    def can(self, action: str) -> bool:
        """Tell whether the stack is capable of `action`, one of ACTIONS."""
        return action in self.actions

    def address(self, service: str) -> Address:
        """Return where `service` listens."""
        raise self._refusal("tell the address of", service)

    def replicas(self, service: str) -> tuple[Address, ...]:
        """Return where each of the containers or processes of `service` answers now; most services have one."""
        return (self.address(service),)

    def start(self, service: str) -> None:
        """Start `service` and return when it is healthy; raise ServiceError otherwise."""
        raise self._refusal("start", service)

    def stop(self, service: str) -> None:
        """Ask `service` to end, and make it end if it takes too long."""
        raise self._refusal("stop", service)

    def restart(self, service: str, *, cold: bool = False) -> None:
        """Stop `service` in order, start it, and return when it is healthy; raise ServiceError otherwise.

        `cold` starts it as an operator would, without any short cut of ours.
        """
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

    def reload(self, service: str) -> None:
        """Have `service`, the proxy, read its configuration anew while it serves; return when it was told to."""
        raise self._refusal("reload", service)

    def partition(self, service: str) -> None:
        """Take `service` off the network: connections to it hang, and its name is unknown to new ones."""
        raise self._refusal("partition", service)

    def rejoin(self, service: str) -> None:
        """Bring a partitioned `service` back under its names, and return when it is healthy."""
        raise self._refusal("rejoin", service)

    def recreate(self, service: str) -> None:
        """Put a new container, with the same volumes, at another address, in the place of `service`.

        The old one is stopped in order. Return when the new one is healthy.
        """
        raise self._refusal("recreate", service)

    def hostname(self, service: str) -> str:
        """Return the name under which the other services reach `service`."""
        raise self._refusal("tell the host name of", service)

    def execute(self, service: str, command: Sequence[str]) -> Execution:
        """Run `command` where `service` runs, as its user; raise ServiceError when it does not run."""
        raise self._refusal("execute a command in", service)

    def execute_apart(self, command: Sequence[str]) -> Execution:
        """Run `command` in a container of the server's image that is on none of the networks of this stack.

        It is where ``docker run`` puts a container that names no network, and it is removed afterwards. Whoever can
        execute can do this too. Raises ServiceError when it does not run.
        """
        raise self._refusal("execute a command apart from", "letta")

    def query(self, statement: str) -> list[dict[str, Any]]:
        """Return the rows that an SQL ``SELECT`` finds in Letta's database, as JSON objects by column name.

        Raises ServiceError when Postgres does not answer or refuses.
        """
        raise self._refusal("query", "postgres")

    def start_second(self, database: str = "same") -> SecondServer:
        """Start a second server of the same version beside the first, and return when it is healthy.

        `database`, one of DATABASES, is what it is on: the ``same`` one as the first; an ``empty`` one; what
        ``pg_dump`` gives of the first's, restored into a new one; or a Postgres of its own on a cold ``copy`` of the
        data folder or volume, for which the first Postgres is stopped in order and started again.
        Whatever an earlier second server had is removed first. The stack's proxy does not lead to it; Redis and the
        model are shared.
        """
        raise self._refusal("start", "a second letta")

    def stop_second(self) -> None:
        """End the second server, and remove the database that was made for it; nothing happens without one."""
        raise self._refusal("stop", "a second letta")

    def logs(self, service: str, lines: int = 40) -> str:
        """Return the last `lines` lines that `service` logged."""
        raise self._refusal("show the logs of", service)

    @abstractmethod
    def close(self) -> None:
        """End whatever was started; a second call does nothing."""

    def _refusal(self, action: str, service: str) -> StackError:
        return StackError(f"the {self.provider} provider cannot {action} {service!r}.")
