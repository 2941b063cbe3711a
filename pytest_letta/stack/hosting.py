"""One stack for all worker processes of a run: the owner serves its methods, workers call them."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Client, Connection, Listener
from typing import Any, cast

from pytest_letta.errors import StackError
from pytest_letta.stack.service import Address
from pytest_letta.stack.stack import Execution, SecondServer, Stack

#: What a worker may read and call; everything else stays with the owner.
_FACTS = (
    *("provider", "version", "services", "actions", "url", "proxy_url", "tls_url", "ca_file"),
    *("llm_url", "postgres_dsn", "redis_url"),
)
_METHODS = frozenset(
    {"address", "replicas", "start", "stop", "restart", "kill", "pause", "resume", "reload", "logs"}
    | {"partition", "rejoin", "recreate", "hostname", "execute", "execute_apart", "query"}
    | {"start_second", "stop_second"}
)


@dataclass(frozen=True, slots=True)
class HostAddress:
    """Where the owner listens (a Unix socket) and the key that it asks for; made of plain strings for xdist."""

    socket: str
    key: str


class StackHost:
    """Open a stack at the first request of any worker and carry out what workers ask of it.

    `open_stack` gets the arguments that the first worker gave. Close the host after the workers have gone.
    """

    def __init__(self, open_stack: Callable[[Mapping[str, Any]], Stack]) -> None:
        self._open_stack = open_stack
        self._stack: Stack | None = None
        self._failure: Exception | None = None
        self._lock = threading.Lock()
        key = secrets.token_hex(16)
        self._listener = Listener(family="AF_UNIX", authkey=key.encode())
        self.address = HostAddress(str(self._listener.address), key)
        threading.Thread(target=self._accept, name="pytest-letta stack host", daemon=True).start()

    @property
    def kept_hint(self) -> str | None:
        """How to end the stack if it goes on after this run; ``None`` when it does not, or none was opened."""
        return getattr(self._stack, "kept_hint", None)

    def close(self) -> None:
        """Stop listening and close the stack, if one was opened."""
        self._listener.close()
        with self._lock:
            if self._stack is not None:
                self._stack.close()

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except OSError:
                return  # closed
            except EOFError:
                continue  # a worker that died while it connected
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        with connection:
            while True:
                try:
                    method, args, kwargs = connection.recv()
                except (EOFError, OSError):
                    return
                try:
                    answer = (True, self._do(method, args, kwargs))
                except Exception as error:
                    answer = (False, error if isinstance(error, StackError) else StackError(repr(error)))
                connection.send(answer)

    def _do(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if method == "open":
            stack = self._opened(*args)
            return {name: getattr(stack, name, None) for name in _FACTS}
        if method not in _METHODS or self._stack is None:
            raise StackError(f"a worker asked for {method!r}, which is none of {', '.join(sorted(_METHODS))}")
        return getattr(self._stack, method)(*args, **kwargs)

    def _opened(self, stack_args: Mapping[str, Any]) -> Stack:
        with self._lock:
            if self._failure is not None:
                raise self._failure  # every worker hears the same reason; nobody tries again
            if self._stack is None:
                try:
                    self._stack = self._open_stack(stack_args)
                except Exception as error:
                    self._failure = error
                    raise
            return self._stack


class HostedStack(Stack):
    """The stack of another process of this run, with the interface of one's own."""

    def __init__(self, address: HostAddress, stack_args: Mapping[str, Any]) -> None:
        self._lock = threading.Lock()
        self._connection = Client(address.socket, family="AF_UNIX", authkey=address.key.encode())
        self.__dict__.update(self._call("open", dict(stack_args)))

    def close(self) -> None:
        """Let go of the stack; its owner closes it."""
        self._connection.close()

    def _call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        with self._lock:
            self._connection.send((method, args, kwargs))
            succeeded, answer = self._connection.recv()
        if not succeeded:
            raise answer
        return answer

    def address(self, service: str) -> Address:
        return cast(Address, self._call("address", service))

    def replicas(self, service: str) -> tuple[Address, ...]:
        return cast(tuple[Address, ...], self._call("replicas", service))

    def start(self, service: str) -> None:
        self._call("start", service)

    def stop(self, service: str) -> None:
        self._call("stop", service)

    def restart(self, service: str, *, cold: bool = False) -> None:
        self._call("restart", service, cold=cold)

    def kill(self, service: str) -> None:
        self._call("kill", service)

    def pause(self, service: str) -> None:
        self._call("pause", service)

    def resume(self, service: str) -> None:
        self._call("resume", service)

    def reload(self, service: str) -> None:
        self._call("reload", service)

    def logs(self, service: str, lines: int = 40) -> str:
        return cast(str, self._call("logs", service, lines))

    def partition(self, service: str) -> None:
        self._call("partition", service)

    def rejoin(self, service: str) -> None:
        self._call("rejoin", service)

    def recreate(self, service: str) -> None:
        self._call("recreate", service)

    def hostname(self, service: str) -> str:
        return cast(str, self._call("hostname", service))

    def execute(self, service: str, command: Sequence[str]) -> Execution:
        return cast(Execution, self._call("execute", service, list(command)))

    def execute_apart(self, command: Sequence[str]) -> Execution:
        return cast(Execution, self._call("execute_apart", list(command)))

    def query(self, statement: str) -> list[dict[str, Any]]:
        return cast(list[dict[str, Any]], self._call("query", statement))

    def start_second(self, database: str = "same") -> SecondServer:
        return cast(SecondServer, self._call("start_second", database))

    def stop_second(self) -> None:
        self._call("stop_second")
