"""A stack with a fault in it: the same services, some of them behind a fault proxy or badly treated."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from pytest_letta.faults.fault import CataloguedFault
from pytest_letta.faults.proxy import FaultProxy
from pytest_letta.stack import wheels
from pytest_letta.stack.delegating import DelegatingStack
from pytest_letta.stack.stack import Stack

#: What is done to the stack right after one of its own actions ("restart", "kill", ...) has ended.
Mischief = Callable[[Stack], None]

#: What is wrong with the stack all the while, and is put right at the end.
State = Callable[[Stack], AbstractContextManager[object]]


def _as_it_is(stack: Stack) -> AbstractContextManager[object]:
    return nullcontext()


@dataclass(frozen=True)
class StackFault:
    """A fault of the services: `during` holds while the contracts run, `after` maps an action to the mischief."""

    name: str
    kills: tuple[str, ...]
    reason: str
    after: Mapping[str, Mischief] = field(default_factory=dict)
    during: State = _as_it_is


class FaultyStack(DelegatingStack):
    """`inner`, seen through other URLs, with mischief after its actions."""

    def __init__(
        self,
        inner: Stack,
        *,
        url: str | None = None,
        proxy_url: str | None = None,
        after: Mapping[str, Mischief] | None = None,
    ) -> None:
        super().__init__(inner)
        self._after = dict(after or {})
        self.url = url or inner.url
        self.proxy_url = proxy_url or inner.proxy_url

    def _act(self, action: str, service: str, **how: Any) -> None:
        super()._act(action, service, **how)
        if action in self._after:
            self._after[action](self._inner)


@contextmanager
def with_fault(stack: Stack, fault: CataloguedFault | StackFault) -> Iterator[FaultyStack]:
    """Give `stack` with `fault` in it; the healthy stack itself stays as it is."""
    if isinstance(fault, StackFault):
        with fault.during(stack):
            yield FaultyStack(stack, after=fault.after)
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


def run_sql(statement: str) -> Mischief:
    """Return mischief that runs an SQL statement on the stack's database, with the psql of the local extra."""

    def mischief(stack: Stack) -> None:
        psql = wheels.postgres_home() / "bin" / "psql"
        command = [str(psql), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command", statement]
        subprocess.run([*command, str(stack.postgres_dsn)], check=True, capture_output=True, timeout=30)

    return mischief
