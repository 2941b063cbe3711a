"""The report, version 1: one JSON document of which every other format is a view."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_letta.conformance.record import ContractRecord

SCHEMA = "pytest-letta-report/1"
VERDICTS = ("pass", "fail", "known", "not-applicable", "could-not-run", "error")


def build(
    *,
    started_at: datetime.datetime,
    duration_s: float,
    target: dict[str, Any] | None,
    records: Sequence[ContractRecord],
    leftovers: Sequence[str],
) -> dict[str, Any]:
    """Return the document; `target` is ``None`` when no process reached the deployment."""
    counts = Counter(record["verdict"] for record in records)
    known = dict(target) if target else {}
    documented: list[str] = known.pop("operations", [])
    exercised = {key for record in records for key in record["operations"]} & set(documented)
    return {
        "schema": SCHEMA,
        "started_at": started_at.isoformat(timespec="seconds"),
        "duration_s": round(duration_s, 1),
        "target": known or None,
        "summary": {verdict: counts[verdict] for verdict in VERDICTS},
        "operations": {
            "documented": len(documented),
            "exercised": len(exercised),
            "unexercised": sorted(set(documented) - exercised),
        },
        "contracts": [{key: value for key, value in record.items() if key != "operations"} for record in records],
        "leftovers": list(leftovers),
    }
