"""The report, version 1: one JSON document of which every other format is a view."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_letta.report.operations import told

if TYPE_CHECKING:
    from pytest_letta.conformance.record import ContractRecord

SCHEMA = "pytest-letta-report/1"
VERDICTS = ("pass", "fail", "known", "not-applicable", "could-not-run", "error")

#: What is told of all records together.
_OF_OPERATIONS = {"operations", "undocumented", "misshapen"}


def build(
    *,
    started_at: datetime.datetime,
    duration_s: float,
    target: dict[str, Any] | None,
    records: Sequence[ContractRecord],
    leftovers: Sequence[str],
    requests: int,
    reasons: Mapping[str, str],
) -> dict[str, Any]:
    """Return the document; `target` is ``None`` when no process reached the deployment.

    `requests` is how many were sent; `reasons` tells of operations why no contract can exercise them.
    """
    counts = Counter(record["verdict"] for record in records)
    known = dict(target) if target else {}
    documented: dict[str, bool] = known.pop("operations", {})
    return {
        "schema": SCHEMA,
        "started_at": started_at.isoformat(timespec="seconds"),
        "duration_s": round(duration_s, 1),
        "target": known or None,
        "summary": {verdict: counts[verdict] for verdict in VERDICTS},
        "requests": requests,
        "operations": told(documented, records, reasons),
        "contracts": [
            {key: value for key, value in record.items() if key not in _OF_OPERATIONS} for record in records
        ],
        "leftovers": list(leftovers),
    }
