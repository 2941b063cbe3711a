"""Prints the conformance summary: the result first, then each failure with what is needed to act on it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_letta.report.document import VERDICTS

if TYPE_CHECKING:
    import pytest


def print_summary(terminal: pytest.TerminalReporter, document: dict[str, Any], incomplete: str) -> None:
    """Print `document`; `incomplete` says why a run without failures is not green, or is empty."""
    from pytest_letta.conformance.record import is_breach

    contracts = document["contracts"]
    terminal.section("Letta conformance", sep="=", bold=True)
    terminal.line(_target(document["target"], {contract["suite"] for contract in contracts}))
    for warning in (document["target"] or {}).get("warnings", ()):
        terminal.line(f"warning: {warning}", yellow=True)
    terminal.line("")
    _print_table(terminal, contracts)
    _print_operations(terminal, document)
    for contract in contracts:
        if contract["verdict"] in {"fail", "error"}:
            _print_failure(terminal, contract)
    _print_known(terminal, [one for one in contracts if one["verdict"] == "known"])
    _print_reasons(terminal, "not applicable", [one for one in contracts if one["verdict"] == "not-applicable"])
    _print_reasons(terminal, "could not run", [one for one in contracts if one["verdict"] == "could-not-run"])
    for leftover in document["leftovers"]:
        terminal.line(f"left behind: {leftover}", yellow=True)
    is_broken = any(is_breach(contract) for contract in contracts)
    _print_verdict(terminal, document["summary"], is_broken, incomplete)


def _target(target: dict[str, Any] | None, suites: set[str]) -> str:
    if target is None:
        return (
            "The file alone was judged: nothing was started."
            if suites == {"compose"}
            else "No deployment was reached."
        )
    version = f"Letta {target['version']}" if target["version"] else "Letta of unknown version"
    proxy = f", proxy {target['proxy_url']}" if target["proxy_url"] else ""
    return f"{version} at {target['url']} ({target['provider']}){proxy}"


def _print_table(terminal: pytest.TerminalReporter, contracts: list[dict[str, Any]]) -> None:
    suites: dict[str, Counter[str]] = defaultdict(Counter)
    for contract in contracts:
        suites[contract["suite"]][contract["verdict"]] += 1
    shown = [verdict for verdict in VERDICTS if verdict in {"pass", "fail", "known"}]
    shown += [verdict for verdict in VERDICTS[3:] if any(counts[verdict] for counts in suites.values())]
    terminal.line("  ".join([f"{'suite':<10}", *shown]))
    for suite, counts in sorted(suites.items()):
        cells = [f"{counts[verdict] or '-':>{len(verdict)}}" for verdict in shown]
        terminal.line("  ".join([f"{suite:<10}", *cells]))


def _print_operations(terminal: pytest.TerminalReporter, document: dict[str, Any]) -> None:
    operations = document["operations"]
    if not operations["documented"]:
        return
    terminal.line("")
    terminal.line(
        f"{operations['exercised']} of {operations['documented']} documented operations answered with success, "
        f"in {document['requests']:,} requests."
    )
    if operations["undocumented"]:
        told = ", ".join(f"{status} ({len(keys)})" for status, keys in operations["undocumented"].items())
        terminal.line(f"Answers that are not documented, by status (operations): {told}.")
    if operations["misshapen"]:
        count = len({one.partition(": ")[0] for one in operations["misshapen"]})
        terminal.line(f"Operations with answers of another shape than documented: {count}.")


def _print_failure(terminal: pytest.TerminalReporter, contract: dict[str, Any]) -> None:
    from pytest_letta.conformance.record import as_text

    is_hard = contract["level"] == "must" or contract["verdict"] == "error"
    terminal.line("")
    first, *rest = as_text(contract).splitlines()  # type: ignore[arg-type]
    terminal.line(f"{contract['verdict'].upper()}  {first}", red=is_hard, yellow=not is_hard, bold=True)
    for line in rest:
        if line:
            terminal.line(line)


def _print_known(terminal: pytest.TerminalReporter, contracts: list[dict[str, Any]]) -> None:
    if contracts:
        terminal.line("")
        terminal.line("Known issues of this version, still broken:", yellow=True)
    for reason, ids in _by_reason(contracts, lambda one: one["cause"].split(" Seen now: ")[0]).items():
        terminal.line(f"  {_told(ids)}")
        terminal.line(f"    {reason}")


def _by_reason(contracts: list[dict[str, Any]], reason: Callable[[dict[str, Any]], str]) -> dict[str, list[str]]:
    """Group the ids by reason: one thing is told once, however many contracts it concerns."""
    found: dict[str, list[str]] = defaultdict(list)
    for contract in contracts:
        found[reason(contract)].append(contract["id"])
    return found


def _told(ids: list[str]) -> str:
    """Name the contracts; of one with several cases here, how many."""
    cases = Counter(id.partition("[")[0] for id in ids)
    shown = {id.partition("[")[0]: id for id in ids}
    return ", ".join(f"{id} ({count} cases)" if count > 1 else shown[id] for id, count in cases.items())


def _print_reasons(terminal: pytest.TerminalReporter, label: str, contracts: list[dict[str, Any]]) -> None:
    for reason, ids in _by_reason(contracts, lambda one: one["cause"]).items():
        terminal.line("")
        terminal.line(f"{label.capitalize()} ({len(ids)}): {_told(ids)}", yellow=label == "could not run")
        for line in reason.splitlines():
            terminal.line(f"  {line}")


def _print_verdict(
    terminal: pytest.TerminalReporter, counts: dict[str, int], is_broken: bool, incomplete: str
) -> None:
    terminal.line("")
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
    if is_broken:
        terminal.line(f"Promises broken: {told}.", red=True, bold=True)
    elif incomplete:
        terminal.line(f"Not complete: {incomplete}{told and '; '}{told}.", yellow=True, bold=True)
    else:
        terminal.line(f"The deployment keeps its promises: {told}.", green=True, bold=True)
