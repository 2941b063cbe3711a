"""Collects the verdicts of a run where they all arrive, decides the exit code and hands them to the reports."""

from __future__ import annotations

import datetime
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta.conformance.judging import record_in
from pytest_letta.conformance.record import ContractRecord, FailureText, is_breach
from pytest_letta.conformance.verdicts import Verdict

if TYPE_CHECKING:
    from pytest_letta.session import LettaSession

#: All that ran passed, but something could not run. pytest itself ends at 5.
EXIT_INCOMPLETE = 6

#: category of the closing line, letter, word
_STATUS = {
    Verdict.PASS: ("passed", ".", "PASS"),
    Verdict.FAIL: ("failed", "F", "FAIL"),
    Verdict.KNOWN: ("known", "k", "KNOWN"),
    Verdict.NOT_APPLICABLE: ("not applicable", "-", "NOT APPLICABLE"),
    Verdict.COULD_NOT_RUN: ("could not run", "?", "COULD NOT RUN"),
    Verdict.ERROR: ("error", "E", "ERROR"),
}
_SEVERITY = list(Verdict)


class Summary:
    """The hooks that run once a run: in the only process, or in the xdist controller."""

    def __init__(self, session: LettaSession) -> None:
        self._session = session
        self._records: dict[str, ContractRecord] = {}
        self._targets: list[dict[str, Any]] = []
        self._leftovers: list[str] = []
        self._requests = 0
        self._started_at = datetime.datetime.now(datetime.UTC)
        self._clock = time.monotonic()
        self._incomplete = ""

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        record = record_in(report)
        if record is None:
            return None
        verdict = Verdict(record["verdict"])
        if verdict is Verdict.FAIL and not is_breach(record):
            return f"failed ({record['level']})", "f", f"FAIL ({record['level']})"
        return _STATUS[verdict]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        record = record_in(report)
        if record is None:
            return
        if report.failed and record["verdict"] == Verdict.FAIL:
            report.longrepr = FailureText(record)  # type: ignore[assignment]
        earlier = self._records.get(record["id"])
        if earlier is None or _severity(record) >= _severity(earlier):
            self._records[record["id"]] = record

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker says of its target when it ends."""
        self.add_target(getattr(node, "workeroutput", {}).get("letta"))

    def add_target(self, said: dict[str, Any] | None) -> None:
        """Take what the process that ran contracts knows of the deployment, and what it left there."""
        if said is not None:
            self._leftovers += said["leftovers"]
            self._requests += said["requests"]
            if said["target"] is not None:
                self._targets.append(said["target"])

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        counts = Counter(record["verdict"] for record in self._records.values())
        ran = counts[Verdict.PASS] + counts[Verdict.FAIL] + counts[Verdict.KNOWN] + counts[Verdict.ERROR]
        if not ran and not counts:
            self._incomplete = "nothing was judged"
        elif session.exitstatus not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
            self._incomplete = "the run was interrupted"
        if session.exitstatus == pytest.ExitCode.OK:
            if not ran:
                session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
                self._incomplete = "no contract ran"
            if counts[Verdict.COULD_NOT_RUN] and not self._session.settings.allow_incomplete:
                session.exitstatus = EXIT_INCOMPLETE
                self._incomplete = "something could not run (--letta-allow-incomplete accepts that)"
        self._write_reports()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        from pytest_letta.report.terminal import print_summary

        print_summary(terminalreporter, self._document(), self._incomplete)

    def _document(self) -> dict[str, Any]:
        from pytest_letta.conformance.suites import unexercised_file
        from pytest_letta.report.document import build
        from pytest_letta.report.operations import read_reasons

        return build(
            started_at=self._started_at,
            duration_s=time.monotonic() - self._clock,
            target=self._targets[0] if self._targets else None,
            records=sorted(self._records.values(), key=lambda record: (record["suite"], record["id"])),
            leftovers=self._leftovers,
            requests=self._requests,
            reasons=read_reasons(unexercised_file()),
        )

    def _write_reports(self) -> None:
        from pytest_letta.report.files import write

        for path in self._session.settings.report:
            write(path, self._document())


def _severity(record: ContractRecord) -> int:
    return _SEVERITY.index(Verdict(record["verdict"]))
