"""A stack with a fault in it: the same services, some of them behind a fault proxy or badly treated."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_letta.faults.fault import CataloguedFault
from pytest_letta.faults.proxy import FaultProxy
from pytest_letta.stack import wheels
from pytest_letta.stack.delegating import DelegatingStack
from pytest_letta.stack.stack import SecondServer, Stack

#: What is done to the stack right after one of its own actions ("restart", "kill", ...) has ended.
Mischief = Callable[[Stack], None]

#: What is wrong with the stack all the while, and is put right at the end.
State = Callable[[Stack], AbstractContextManager[object]]

#: What is wrong with a second server as long as it runs; the server is given as it is then seen.
Beside = Callable[[SecondServer], AbstractContextManager[SecondServer]]


def _as_it_is(stack: Stack) -> AbstractContextManager[object]:
    return nullcontext()


@dataclass(frozen=True)
class StackFault:
    """A fault of the services: `during` holds while the contracts run, `after` maps an action to the mischief.

    `instead` maps what a second server is asked to be on to what it is on, `beside` is wrong with that server. After
    a restart the URL of the server leads to one that is on the database `lands_on`.
    """

    name: str
    kills: tuple[str, ...]
    reason: str
    after: Mapping[str, Mischief] = field(default_factory=dict)
    during: State = _as_it_is
    instead: Mapping[str, str] = field(default_factory=dict)
    beside: Beside = nullcontext
    lands_on: str | None = None


class FaultyStack(DelegatingStack):
    """`inner`, seen through other URLs, with mischief after its actions."""

    def __init__(
        self,
        inner: Stack,
        *,
        url: str | None = None,
        proxy_url: str | None = None,
        tls_url: str | None = None,
        ca_file: str | None = None,
        after: Mapping[str, Mischief] | None = None,
        instead: Mapping[str, str] | None = None,
        beside: Beside = nullcontext,
    ) -> None:
        super().__init__(inner)
        self._after = dict(after or {})
        self._instead = dict(instead or {})
        self._beside = beside
        self._besides = ExitStack()
        self.url = url or inner.url
        self.proxy_url = proxy_url or inner.proxy_url
        self.tls_url = tls_url or inner.tls_url
        self.ca_file = ca_file or inner.ca_file

    def start_second(self, database: str = "same") -> SecondServer:
        self._besides.close()
        second = self._inner.start_second(self._instead.get(database, database))
        return self._besides.enter_context(self._beside(second))

    def stop_second(self) -> None:
        self._besides.close()
        self._inner.stop_second()

    def _act(self, action: str, service: str, **how: Any) -> None:
        super()._act(action, service, **how)
        if action in self._after:
            self._after[action](self._inner)


@contextmanager
def with_fault(stack: Stack, fault: CataloguedFault | StackFault) -> Iterator[FaultyStack]:
    """Give `stack` with `fault` in it; the healthy stack itself stays as it is."""
    if isinstance(fault, StackFault):
        with fault.during(stack), _landing(stack, fault.lands_on) as (url, landing):
            after = {**fault.after, **landing}
            yield FaultyStack(stack, url=url, after=after, instead=fault.instead, beside=fault.beside)
        return
    if fault.via == "second":
        yield FaultyStack(stack, beside=lambda second: _behind(second, fault))
        return
    upstream = stack.url if fault.via == "target" else stack.proxy_url
    if upstream is None:
        raise ValueError(f"{fault.name} stands for the proxy, and this stack has none")
    with ExitStack() as opened:
        proxy = opened.enter_context(FaultProxy(upstream, fault.make()))
        if fault.via == "target":
            yield FaultyStack(stack, url=proxy.url)
        else:
            yield FaultyStack(stack, proxy_url=proxy.url)


@contextmanager
def _behind(second: SecondServer, fault: CataloguedFault) -> Iterator[SecondServer]:
    with FaultProxy(second.url, fault.make()) as proxy:
        yield replace(second, url=proxy.url)


@contextmanager
def _landing(stack: Stack, database: str | None) -> Iterator[tuple[str | None, dict[str, Mischief]]]:
    """Give the URL that leads elsewhere after a restart, and the mischief that has it do so; or neither."""
    if database is None:
        yield None, {}
        return
    with FaultProxy(stack.url) as proxy:
        try:
            yield proxy.url, {"restart": lambda inner: proxy.lead_to(inner.start_second(database).url)}
        finally:
            stack.stop_second()


def run_sql(statement: str) -> Mischief:
    """Return mischief that runs an SQL statement on the stack's database."""
    return lambda stack: execute_sql(str(stack.postgres_dsn), statement)


def execute_sql(dsn: str, *statements: str) -> None:
    """Run SQL statements one after the other, with the psql of the local extra."""
    psql = wheels.postgres_home() / "bin" / "psql"
    commands = [part for statement in statements for part in ("--command", statement)]
    options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", *commands]
    subprocess.run([str(psql), *options, dsn], check=True, capture_output=True, timeout=30)


def sql_beside(statement: str, *databases: str) -> Beside:
    """Return a fault that runs an SQL statement where a second server is on one of `databases`, in its database."""

    @contextmanager
    def beside(second: SecondServer) -> Iterator[SecondServer]:
        if second.database in databases:
            execute_sql(second.postgres_dsn, statement)
        yield second

    return beside
