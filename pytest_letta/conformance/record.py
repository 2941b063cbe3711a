"""What a run keeps of one judged contract: plain data, so that it crosses processes and goes into reports."""

from __future__ import annotations

from typing import Any, TypedDict

from pytest_letta.conformance.contract import Contract
from pytest_letta.conformance.findings import Findings
from pytest_letta.conformance.known import KnownIssue
from pytest_letta.conformance.verdicts import Verdict


class ContractRecord(TypedDict):
    """One contract of a report; `curl` reproduces it, `log` is the tail of the service logs.

    `operations` answered it with success; `undocumented` has answers of a status that the server does not document,
    such as ``404 GET /v1/agents/{agent_id}``; `misshapen` those of another shape than documented, with how they
    differ, where that was not seen before.
    """

    id: str
    suite: str
    level: str
    title: str
    verdict: str
    cause: str
    duration_s: float
    curl: list[str]
    log: str
    seed: str | None
    because: str
    evidence: str
    operations: list[str]
    undocumented: list[str]
    misshapen: list[str]


def record_of(contract: Contract, verdict: Verdict, cause: str, duration_s: float) -> ContractRecord:
    """Return the record of a contract before evidence is added."""
    return ContractRecord(
        id=contract.id,
        suite=contract.suite,
        level=contract.level,
        title=contract.title,
        verdict=verdict.value,
        cause=cause,
        duration_s=round(duration_s, 3),
        curl=[],
        log="",
        seed=None,
        because=contract.because,
        evidence="",
        operations=[],
        undocumented=[],
        misshapen=[],
    )


def apply_known(record: ContractRecord, issue: KnownIssue) -> None:
    """Turn a failure that is listed into ``known``, and a pass that is listed into a stale entry."""
    if record["verdict"] == Verdict.FAIL:
        record["verdict"] = Verdict.KNOWN.value
        record["evidence"] = issue.evidence
        record["cause"] = f"{issue.reason} (since {issue.since}) Seen now: {record['cause']}"
    elif record["verdict"] == Verdict.PASS:
        record["verdict"] = Verdict.FAIL.value
        record["cause"] = (
            f"stale known issue: the promise holds here, but it is listed as broken "
            f"since {issue.since} ({issue.reason}). Remove {issue.id} from the list."
        )


def apply_known_findings(record: ContractRecord, issue: KnownIssue, seen: Findings) -> None:
    """Weigh findings against those that are listed: others stay failures, and so do listed ones that are gone."""
    new, gone = seen.besides(issue.findings), seen.gone(issue.findings)
    if record["verdict"] == Verdict.FAIL and new.found:
        known = len(seen.found) - len(new.found)
        record["cause"] = "\n".join([*new.lines(), *([f"(besides {known} that are known)"] if known else [])])
    elif gone:
        record["verdict"] = Verdict.FAIL.value
        record["cause"] = "\n".join(
            [
                f"stale known issue: not seen any more, remove from the list of {issue.id}:",
                *Findings(gone, seen.tried).lines(),
            ]
        )
    elif record["verdict"] == Verdict.FAIL:
        apply_known(record, issue)


def is_breach(record: ContractRecord) -> bool:
    """Tell whether the record makes the run fail: a MUST that failed, or an error of our own."""
    if record["verdict"] == Verdict.ERROR:
        return True
    return record["verdict"] == Verdict.FAIL and record["level"] == "must"


def as_text(record: ContractRecord) -> str:
    """Return everything that a reader needs to act on a record, over several lines."""
    lines = [
        f"{record['id']} ({record['level'].upper()}): {record['title']}",
        "",
        _indented("seen", record["cause"]),
    ]
    if record["because"]:
        lines.append(_indented("because", record["because"]))
    if record["evidence"]:
        lines.append(_indented("evidence", record["evidence"]))
    if record["seed"]:
        lines.append(_indented("seed", record["seed"]))
    if record["curl"]:
        lines.append(_indented("repeat", "\n".join(record["curl"])))
    if record["log"]:
        lines.append(_indented("log", record["log"]))
    return "\n".join(lines)


def _indented(label: str, text: str) -> str:
    first, *rest = text.strip().splitlines() or [""]
    return "\n".join([f"  {label:<9}{first}", *(f"  {'':<9}{line}" for line in rest)])


class FailureText:
    """A pytest ``longrepr``: all of the record in files such as JUnit's, one line on the terminal.

    The terminal shows the whole record in the conformance summary, so it is not printed twice.
    """

    def __init__(self, record: ContractRecord) -> None:
        self._record = record

    def __str__(self) -> str:
        return as_text(self._record)

    def toterminal(self, tw: Any) -> None:
        tw.line(f"{self._record['title']}")
        tw.line(f"E   {self._record['cause'].splitlines()[0] if self._record['cause'] else ''}", red=True)
        tw.line("(whole story under 'Letta conformance' below)")
