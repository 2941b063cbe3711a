"""Findings: grouped by their causes, and weighed against those that are known."""

from __future__ import annotations

from pytest_letta.conformance.findings import Finding, Findings, listed

NUL, LONG = "NUL: 500 A database error occurred.", "text of 1 MB: 500 Broken"
READ, LIST, MAKE, EDIT = "GET /v1/a/{id}", "GET /v1/a/", "POST /v1/a/", "PATCH /v1/a/{id}"


def test_each_cause_is_one_line_and_that_of_most_operations_comes_first() -> None:
    found = [
        Finding(LONG, MAKE, "name", "curl 1"),
        Finding(NUL, READ, "", "curl 2"),
        Finding(NUL, LIST, "after", "curl 3"),
        Finding(NUL, MAKE, "name", "curl 4"),
        Finding(NUL, EDIT, "name", "curl 5"),
        Finding(NUL, LIST, "before", "curl 6"),
    ]
    findings = Findings(found, frozenset())

    assert findings.lines() == [
        f"{NUL}, in 4 operations: {LIST} (after), {READ}, {EDIT} (name) and 1 more",
        f"{LONG}, in 1 operation: {MAKE} (name)",
    ]
    assert findings.curl_lines() == ["curl 3", "curl 1"]


def test_what_is_listed_is_known_wherever_in_the_operation_it_is_found() -> None:
    known = listed({NUL: [f"{LIST} (before)", READ]})
    findings = Findings([Finding(NUL, LIST, "after"), Finding(NUL, MAKE), Finding(LONG, READ)], frozenset())

    assert findings.besides(known).found == [Finding(NUL, MAKE), Finding(LONG, READ)]


def test_what_is_listed_is_gone_only_where_it_was_looked_for() -> None:
    known = listed({NUL: [LIST, READ, MAKE]})
    findings = Findings([Finding(NUL, LIST)], frozenset({LIST, READ}))

    assert findings.gone(known) == [Finding(NUL, READ)]
