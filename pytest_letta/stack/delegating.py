"""A stack that passes everything on to another one: what is wrapped around a stack begins here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_letta.stack.service import Address
from pytest_letta.stack.stack import Execution, SecondServer, Stack


class DelegatingStack(Stack):
    """`inner` under another hat. Closing it leaves `inner` running: whoever started that closes it.

    Override `_act` to do something before or after an action.
    """

    def __init__(self, inner: Stack) -> None:
        self._inner = inner
        self.provider = inner.provider  # type: ignore[misc]
        self.version = inner.version
        self.services = inner.services
        self.actions = inner.actions
        self.url = inner.url
        self.proxy_url = inner.proxy_url
        self.tls_url = inner.tls_url
        self.ca_file = inner.ca_file
        self.llm_url = inner.llm_url
        self.postgres_dsn = inner.postgres_dsn
        self.redis_url = inner.redis_url

    def address(self, service: str) -> Address:
        return self._inner.address(service)

    def replicas(self, service: str) -> tuple[Address, ...]:
        return self._inner.replicas(service)

    def start(self, service: str) -> None:
        self._act("start", service)

    def stop(self, service: str) -> None:
        self._act("stop", service)

    def restart(self, service: str, *, cold: bool = False) -> None:
        self._act("restart", service, cold=cold)

    def kill(self, service: str) -> None:
        self._act("kill", service)

    def pause(self, service: str) -> None:
        self._act("pause", service)

    def resume(self, service: str) -> None:
        self._act("resume", service)

    def reload(self, service: str) -> None:
        self._act("reload", service)

    def partition(self, service: str) -> None:
        self._act("partition", service)

    def rejoin(self, service: str) -> None:
        self._act("rejoin", service)

    def recreate(self, service: str) -> None:
        self._act("recreate", service)

    def hostname(self, service: str) -> str:
        return self._inner.hostname(service)

    def execute(self, service: str, command: Sequence[str]) -> Execution:
        return self._inner.execute(service, command)

    def execute_apart(self, command: Sequence[str]) -> Execution:
        return self._inner.execute_apart(command)

    def query(self, statement: str) -> list[dict[str, Any]]:
        return self._inner.query(statement)

    def start_second(self, database: str = "same") -> SecondServer:
        return self._inner.start_second(database)

    def stop_second(self) -> None:
        self._inner.stop_second()

    def logs(self, service: str, lines: int = 40) -> str:
        return self._inner.logs(service, lines)

    def close(self) -> None:
        """Do nothing: whoever started the stack closes it."""

    def _act(self, action: str, service: str, **how: Any) -> None:
        """Carry out an action that disturbs a service."""
        getattr(self._inner, action)(service, **how)
