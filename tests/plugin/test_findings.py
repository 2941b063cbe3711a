"""Findings of a contract against those that are listed as known."""

from __future__ import annotations

from pathlib import Path

import pytest

FINDING = """
from pytest_letta.conformance.findings import Finding

@contract("XOWN-FINDINGS-001")
def test_it(letta_findings):
    \"\"\"Nothing is found.\"\"\"
    found = [Finding("NUL: 500", "GET /a"), Finding("NUL: 500", "GET /b")][:{many}]
    letta_findings.must_be_none(found, ["GET /a", "GET /b"])
"""


@pytest.mark.parametrize(
    ("many", "code", "lines"),
    [
        (1, 0, ["*Known issues*", "  XOWN-FINDINGS-001", "    being mended*"]),
        (2, 1, ["  seen     NUL: 500, in 1 operation: GET /b", "           (besides 1 that are known)"]),
        (0, 1, ["  seen     stale known issue:*", "           NUL: 500, in 1 operation: GET /a"]),
    ],
    ids=["known", "one more", "gone"],
)
def test_known_findings_leave_others_to_be_told(
    run_own, tmp_path: Path, many: int, code: int, lines: list[str]
) -> None:
    known = tmp_path / "known.yaml"
    known.write_text(
        "XOWN-FINDINGS-001: {reason: being mended, link: 'https://tracker.example/1', since: 0.16.0, owner: us, "
        "expires: 2999-01-01, findings: {'NUL: 500': ['GET /a (name)']}}\n"
    )

    result = run_own(FINDING.format(many=many), f"--letta-known={known}")

    assert result.ret == code
    result.stdout.fnmatch_lines(lines)
