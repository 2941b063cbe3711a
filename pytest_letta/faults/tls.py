"""Faults of TLS: a real nginx beside that of the stack, badly configured or with a bad certificate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from pytest_letta.faults.fault import Fault
from pytest_letta.faults.proxy import FaultProxy
from pytest_letta.faults.stack import FaultyStack
from pytest_letta.stack import reaper
from pytest_letta.stack.certificate import Certificate, make_certificate
from pytest_letta.stack.nginx import Nginx
from pytest_letta.stack.ports import HOST, free_ports
from pytest_letta.stack.rundir import RunDir
from pytest_letta.stack.service import Address
from pytest_letta.stack.stack import Stack
from pytest_letta.stack.waiting import wait_healthy


def usual() -> Certificate:
    """Make a certificate that holds."""
    return make_certificate([HOST])


def expired() -> Certificate:
    """Make a certificate whose time is over since yesterday."""
    now = datetime.now(UTC)
    return make_certificate([HOST], lives=(now - timedelta(days=90), now - timedelta(days=1)))


def of_another_host() -> Certificate:
    """Make a certificate for another name."""
    return make_certificate(["pytest-letta.invalid"])


def of_another_authority() -> Certificate:
    """Make a certificate of an authority that is not the one to trust."""
    one, other = usual(), usual()
    return Certificate(one.chain, one.key, other.authority)


@dataclass(frozen=True)
class TlsFault:
    """A fault of the TLS address of a stack.

    `certificate` makes the one that is shown. `edits` replace texts of the configuration, each of which must be in
    it; ``{letta}`` stands for where Letta is. `behind` is a fault between that nginx and Letta.
    """

    name: str
    kills: tuple[str, ...]
    reason: str
    certificate: Callable[[], Certificate] = usual
    edits: tuple[tuple[str, str], ...] = ()
    behind: Callable[[], Fault] | None = None


@contextmanager
def with_tls_fault(stack: Stack, fault: TlsFault) -> Iterator[FaultyStack]:
    """Give `stack` with another TLS address, at which the fault is; the healthy stack itself stays as it is."""
    with ExitStack() as opened:
        upstream = stack.url
        if fault.behind is not None:
            upstream = opened.enter_context(FaultProxy(stack.url, fault.behind())).url
        run = RunDir()
        opened.callback(run.release)
        opened.callback(reaper.end, run.path)
        bad = _BadNginx(run, fault, upstream)
        opened.callback(bad.end)
        bad.launch()
        wait_healthy(bad)
        yield FaultyStack(stack, tls_url=bad.tls_url, ca_file=bad.ca_file)


class _BadNginx(Nginx):
    def __init__(self, run: RunDir, fault: TlsFault, upstream: str) -> None:
        plain, tls = (Address(HOST, port) for port in free_ports(2))
        letta = urlsplit(upstream)
        super().__init__(run, plain, Address(str(letta.hostname), int(letta.port or 80)), tls)
        self._fault = fault

    def certificate(self) -> Certificate:
        return self._fault.certificate()

    def configuration(self) -> str:
        text = super().configuration()
        for old, new in self._fault.edits:
            if old not in text:
                raise ValueError(f"{self._fault.name} replaces {old!r}, which is not in the configuration")
            text = text.replace(old, new.replace("{letta}", str(self._letta)))
        return text
