"""The reads that a server documents, as requests that change nothing and are short."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pytest_letta import not_applicable

if TYPE_CHECKING:
    from pytest_letta.deployment import Deployment

#: Short pages in an order that new entries do not disturb, and what a search must be given.
_VALUES = {"limit": "2", "order": "asc", "query": "pytest-letta", "top_k": "2"}


def documented_reads(deployment: Deployment) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give path and description of each documented GET operation that is no stream."""
    if deployment.spec is None:
        not_applicable("the server gives no usable /openapi.json, so its operations are unknown")
    for operation in deployment.spec.operations.values():
        if operation.method == "GET":
            documented = deployment.spec.document["paths"][operation.path]["get"]
            if "text/event-stream" not in json.dumps(documented.get("responses", {})):
                yield operation.path, documented


def parameters_of(path: str) -> list[str]:
    """Return the names of the parameters in a path."""
    return re.findall(r"\{(\w+)\}", path)


def query_of(documented: dict[str, Any]) -> str:
    """Return the query, with its question mark, that an operation is asked with; an empty text for none."""
    names = [one.get("name") for one in documented.get("parameters", []) if one.get("in") == "query"]
    pairs = [f"{name}={value}" for name, value in _VALUES.items() if name in names]
    return f"?{'&'.join(pairs)}" if pairs else ""
