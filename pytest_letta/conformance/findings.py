"""What was found by many requests, told by its causes: one line and one request to repeat it each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pytest_letta.conformance.verdicts import must

if TYPE_CHECKING:
    from pytest_letta.http.recorder import Recorder

_SHOWN = 3


@dataclass(frozen=True)
class Finding:
    """One operation with one cause, such as ``NUL: 500 A database error occurred.``.

    `place` is where the bad value was, `curl` the shortest request that shows it.
    """

    cause: str
    operation: str
    place: str = field(default="", compare=False)
    curl: str = field(default="", compare=False)


@dataclass(frozen=True)
class Findings:
    """What a contract found, and the operations that it tried to the full."""

    found: Sequence[Finding]
    tried: frozenset[str]

    def besides(self, known: Iterable[Finding]) -> Findings:
        """Leave out what is known."""
        listed = set(known)
        return Findings([one for one in self.found if one not in listed], self.tried)

    def gone(self, known: Iterable[Finding]) -> list[Finding]:
        """Return what is known and was not found, of the operations that were tried."""
        found = set(self.found)
        return [one for one in known if one.operation in self.tried and one not in found]

    def lines(self) -> list[str]:
        """Return one line for each cause, the one of most operations first."""
        return [_line(cause, of) for cause, of in _by_cause(self.found)]

    def curl_lines(self) -> list[str]:
        """Return one request for each of those lines, in their order."""
        return [of[0].curl for _, of in _by_cause(self.found) if of[0].curl]


def _line(cause: str, of: Sequence[Finding]) -> str:
    shown = [f"{one.operation} ({one.place})" if one.place else one.operation for one in of[:_SHOWN]]
    more = f" and {len(of) - _SHOWN} more" if len(of) > _SHOWN else ""
    return f"{cause}, in {len(of)} operation{'s' if len(of) > 1 else ''}: {', '.join(shown)}{more}"


def _by_cause(found: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    causes: dict[str, list[Finding]] = {}
    for one in sorted(found, key=lambda one: (one.cause, one.operation)):
        if one not in causes.setdefault(one.cause, []):
            causes[one.cause].append(one)
    return sorted(causes.items(), key=lambda pair: (-len(pair[1]), pair[0]))


def listed(causes: Mapping[str, Sequence[str]]) -> tuple[Finding, ...]:
    """Read findings from their form in a list of known issues.

    That is each cause with its operations; behind each may stand, in brackets, where the bad value was.
    """
    return tuple(
        Finding(cause, str(operation).partition(" (")[0])
        for cause, operations in causes.items()
        for operation in operations
    )


#: Where a test keeps what it found, for the verdict and the report.
FINDINGS = pytest.StashKey[Findings]()


class Judgement:
    """Ends a contract that looks for more than one thing: all that was found is told, grouped by causes."""

    def __init__(self, item: pytest.Item, recorder: Recorder) -> None:
        self._item = item
        self._recorder = recorder

    def newest(self) -> int:
        """Return the number of the newest request."""
        return self._recorder.mark()

    def curl(self, number: int) -> str:
        """Return a request as a line that repeats it by itself."""
        from pytest_letta.conformance.reproduction import standalone

        return next((standalone(one) for one in self._recorder.since(number - 1)[:1]), "")

    def must_be_none(self, found: Sequence[Finding], tried: Iterable[str]) -> None:
        """Fail the contract with what was `found`, if anything; `tried`: the operations that were tried to the full.

        A finding that is listed as known for one of these must be found again.
        """
        __tracebackhide__ = True
        findings = Findings(found, frozenset(tried))
        self._item.stash[FINDINGS] = findings
        must("\n".join(findings.lines()) or None)
