"""Requests that are made again and again while something happens to the services, and how each of them ended."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_letta import not_applicable
from pytest_letta.conformance.checks import refused
from pytest_letta.telling import answered

if TYPE_CHECKING:
    import httpx

    from pytest_letta.stack.stack import Stack

#: Makes one request; it is given the number of the round, from 1.
Ask = Callable[[int], "httpx.Response"]

#: Long enough that each of the requests of a load meets the service away.
AWAY_S = 0.4
_BETWEEN_S = 0.05
_ROUNDS = 2
_SHOWN = 3
#: What a stack trace, an SQL statement of SQLAlchemy or the URI of a database looks like.
_INSIDE = re.compile(r'Traceback \(most recent|File "[^"]+", line \d|\[SQL: |\w+://[^\s/"]+:[^\s/"]+@', re.IGNORECASE)


@dataclass
class Load:
    """What the requests of each kind were answered, by the number of the round."""

    answers: dict[str, dict[int, httpx.Response]] = field(default_factory=dict)
    unanswered: list[str] = field(default_factory=list)

    def problem(self, *kept: str) -> str | None:
        """Say which requests did not end well: those of the kinds in `kept` with success, others clearly."""
        found = list(self.unanswered)
        for kind, answers in self.answers.items():
            found += [
                f"{kind}: {told}" for each in answers.values() if (told := unclear(each, must_succeed=kind in kept))
            ]
        more = f" (and {len(found) - _SHOWN} more)" if len(found) > _SHOWN else ""
        return f"{'; '.join(found[:_SHOWN])}{more}" if found else None

    def _repeat(self, kind: str, ask: Ask, is_over: threading.Event) -> None:
        import httpx

        answers = self.answers.setdefault(kind, {})
        for number in itertools.count(1):
            try:
                answers[number] = ask(number)
            except httpx.TransportError as error:
                self.unanswered.append(f"{kind}: there was no answer: {error!r}")
            if is_over.wait(_BETWEEN_S) and number >= _ROUNDS:
                return


@contextmanager
def under_load(**asks: Ask) -> Iterator[Load]:
    """Make requests of each kind one after the other, all kinds at once; on the way out the last of them end."""
    load, is_over = Load(), threading.Event()
    with ThreadPoolExecutor(len(asks)) as pool:
        workers = [pool.submit(load._repeat, kind, ask, is_over) for kind, ask in asks.items()]
        try:
            yield load
        finally:
            is_over.set()
        for worker in workers:
            worker.result()


@contextmanager
def away(stack: Stack, service: str, how: str) -> Iterator[None]:
    """Have a service be ``paused`` or ``killed`` for what is done in the context."""
    if service not in stack.services:
        not_applicable(f"pytest-letta does not know the {service} of this stack: use --letta-stack local")
    stack.pause(service) if how == "paused" else stack.kill(service)
    try:
        yield
    finally:
        stack.resume(service) if how == "paused" else stack.start(service)


def unclear(answer: httpx.Response, *, must_succeed: bool = False) -> str | None:
    """Check that an answer is a success, or a server error in JSON that shows nothing of the inside."""
    if answer.is_success:
        return None
    if must_succeed:
        return f"{answered(answer)} (expected success)"
    if shown := _INSIDE.search(answer.text):
        return f"{answered(answer)} (it shows {shown[0]!r} of the inside)"
    if answer.status_code < 500:
        return f"{answered(answer)} (expected success or a server error)"
    return refused(answer, answer.status_code)
