"""What a run says of the operations that a server documents: which it exercised, which answers nobody documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_letta.conformance.record import ContractRecord


def read_reasons(path: Path) -> dict[str, str]:
    """Return, by its key, why an operation cannot be exercised by any contract."""
    import yaml

    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {key: reason for reason, keys in content.items() for key in keys}


def told(
    documented: Mapping[str, bool], records: Sequence[ContractRecord], reasons: Mapping[str, str]
) -> dict[str, Any]:
    """Return the part of the report about operations.

    `documented` tells of each operation of the server whether it is deprecated. One is exercised that answered a
    contract with success. `undocumented` gives, by status, the operations that answered it and do not document it;
    `misshapen` how answers of success differ from the documented shape.
    """
    exercised = {key for record in records for key in record["operations"]} & set(documented)
    unexercised = sorted(set(documented) - exercised)
    undocumented: dict[str, set[str]] = defaultdict(set)
    for record in records:
        for status, _, key in (one.partition(" ") for one in record["undocumented"]):
            undocumented[status].add(key)
    return {
        "documented": len(documented),
        "exercised": len(exercised),
        "unexercised": unexercised,
        "deprecated": sorted(key for key, is_deprecated in documented.items() if is_deprecated),
        "reasons": {key: reasons[key] for key in unexercised if key in reasons},
        "undocumented": {status: sorted(keys) for status, keys in sorted(undocumented.items())},
        "misshapen": sorted({one for record in records for one in record["misshapen"]}),
    }
