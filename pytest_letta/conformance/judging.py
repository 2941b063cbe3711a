"""Turns the outcome of each marked test into a verdict with its evidence, in the process that ran it."""

from __future__ import annotations

import datetime
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta.conformance.contract import Contract, contract_of
from pytest_letta.conformance.findings import FINDINGS, Findings
from pytest_letta.conformance.known import KnownIssue, KnownIssues
from pytest_letta.conformance.record import (
    ContractRecord,
    FailureText,
    apply_known,
    apply_known_findings,
    is_breach,
    record_of,
)
from pytest_letta.conformance.shapes import Shapes, shapes_of
from pytest_letta.conformance.verdicts import Verdict, judge
from pytest_letta.options import LEVELS

if TYPE_CHECKING:
    from pytest_letta.deployment import Deployment
    from pytest_letta.exchange import Exchange
    from pytest_letta.session import LettaSession
    from pytest_letta.spec import Spec

#: First fixture of each contract: see `pytest_letta.contract_fixtures`.
GATE = "letta_contract_gate"

#: Where a test keeps the seed of its random sequences, for the report.
SEED = pytest.StashKey[str]()

_LOG_LINES = 12
_NEEDS_EVIDENCE = {Verdict.FAIL, Verdict.KNOWN, Verdict.ERROR}


class Judging:
    """The hooks that run where the tests run: in the only process, or in each xdist worker."""

    def __init__(self, session: LettaSession) -> None:
        self._session = session
        self._known = KnownIssues(session)
        self._started: dict[str, int] = {}
        self.shapes: Shapes | None = None

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Deselect what is below the asked level; put the gate before every other fixture of a contract.

        Contracts about a file come first: they tell what is wrong with it before anything is started.
        """
        allowed = LEVELS[: LEVELS.index(self._session.settings.level) + 1]
        kept: list[pytest.Item] = []
        dropped: list[pytest.Item] = []
        for item in items:
            contract = contract_of(item)
            (kept if contract is None or contract.level in allowed else dropped).append(item)
            if contract is not None and isinstance(item, pytest.Function):
                item.fixturenames.insert(0, GATE)
                item.extra_keyword_matches.add(contract.id)  # so that -k REST-AGENTS-001 selects it
        if dropped:
            config.hook.pytest_deselected(items=dropped)
            items[:] = kept
        items.sort(key=_is_about_something_running)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._started[item.nodeid] = self._session.recorder.mark()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        contract = contract_of(item)
        if contract is None:
            return report
        verdict, cause = judge(call.when, call.excinfo.value if call.excinfo else None)
        if call.when == "call" or verdict is not Verdict.PASS:
            record = record_of(contract, verdict, cause, call.duration)
            findings = item.stash.get(FINDINGS, None)
            issue = self._weigh(record, contract, findings)
            record["seed"] = item.stash.get(SEED, None)
            self._add_evidence(record, item.nodeid, findings and findings.besides(issue.findings if issue else ()))
            _apply(record, report, item)
        return report

    def _weigh(self, record: ContractRecord, contract: Contract, findings: Findings | None) -> KnownIssue | None:
        issue = self._known.by_id().get(contract.id)
        if issue is None:
            return None
        if issue.has_expired(datetime.date.today()):
            record["cause"] += f"\n(listed as known until {issue.expires}, owner {issue.owner}: that has passed)"
        elif not issue.findings:
            apply_known(record, issue)
        elif findings is not None:
            apply_known_findings(record, issue, findings)
        return issue

    def _add_evidence(self, record: ContractRecord, nodeid: str, findings: Findings | None) -> None:
        from pytest_letta.conformance.reproduction import curl_lines

        session = self._session
        started = self._started.get(nodeid, 0)
        exchanges = session.recorder.since(started)
        deployment = session.deployment_if_probed
        if deployment is not None and deployment.spec is not None:
            self._note_operations(record, exchanges, deployment, deployment.spec)
        if record["verdict"] in _NEEDS_EVIDENCE:
            for diagnosis in sorted({one.diagnosis for one in exchanges if one.diagnosis}):
                if diagnosis not in record["cause"]:
                    record["cause"] += f"\n{diagnosis}"
            record["curl"] = (
                curl_lines(
                    session.recorder.story_since(started), deployment, reads_are_checks=record["seed"] is not None
                )
                if findings is None
                else [*([f"LETTA_URL={deployment.url}"] if deployment else []), *findings.curl_lines()]
            )
            record["log"] = session.log_tail(_LOG_LINES)
        for field in ("cause", "log", "evidence"):
            record[field] = session.redact(record[field])
        record["curl"] = [session.redact(line) for line in record["curl"]]

    def _note_operations(
        self, record: ContractRecord, exchanges: list[Exchange], deployment: Deployment, spec: Spec
    ) -> None:
        """Note which operations answered, and what of that the server does not document."""
        if self.shapes is None:
            self.shapes = shapes_of(spec)
        before = len(self.shapes.found)
        answered = set()
        for one in exchanges:
            if one.status and (key := deployment.operation_of(one)):
                answered.add((key, one.status))
                self.shapes.look(key, one)
        record["operations"] = sorted({key for key, status in answered if status < 300})
        record["undocumented"] = sorted(
            f"{status} {key}" for key, status in answered if not spec.operations[key].documents(status)
        )
        record["misshapen"] = [f"{one.operation}: {one.cause}" for one in self.shapes.found[before:]]


def _is_about_something_running(item: pytest.Item) -> bool:
    contract = contract_of(item)
    return contract is None or not contract.is_about_the_file


def _apply(record: ContractRecord, report: pytest.TestReport, item: pytest.Item) -> None:
    """Write the verdict into the report, in the terms that pytest and its other plugins know."""
    verdict = record["verdict"]
    keep_traceback = verdict == Verdict.ERROR
    reason = f"{record['id']}: {record['cause']}"
    vars(report).pop("wasxfail", None)
    if verdict == Verdict.PASS:
        report.outcome = "passed"
    elif is_breach(record):
        report.outcome = "failed"
        report.longrepr = report.longrepr if keep_traceback else str(FailureText(record))
    else:
        report.outcome = "skipped"
        report.longrepr = (str(item.path), item.location[1] or 0, reason)
        if verdict in {Verdict.KNOWN, Verdict.FAIL}:
            report.wasxfail = reason
    report.__dict__["letta"] = dict(record)
    item.user_properties += [(f"letta_{name}", record[name]) for name in ("id", "level", "verdict")]


def record_in(report: Any) -> ContractRecord | None:
    """Return the record that a test report carries, also after it crossed processes, or ``None``."""
    return getattr(report, "letta", None)
