"""The reads that a server documents, as requests that change nothing and are short."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pytest_letta import not_applicable

if TYPE_CHECKING:
    from pytest_letta.deployment import Deployment
    from pytest_letta.spec import Spec

#: Short pages in an order that new entries do not disturb, and what a search must be given.
_VALUES = {"limit": "2", "order": "asc", "query": "pytest-letta", "top_k": "2"}


#: What is in none of the areas that a contract names.
OTHERS = "others"


def spec_of(deployment: Deployment) -> Spec:
    """Return what the server documents; a contract is not applicable where that is nothing."""
    if deployment.spec is None:
        not_applicable("the server gives no usable /openapi.json, so its operations are unknown")
    return deployment.spec


def documented_reads(deployment: Deployment) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give path and description of each documented GET operation that is no stream."""
    spec = spec_of(deployment)
    for operation in spec.operations.values():
        if operation.method == "GET":
            documented = spec.document["paths"][operation.path]["get"]
            if "text/event-stream" not in json.dumps(documented.get("responses", {})):
                yield operation.path, documented


def within(targets: Iterable[str], area: str, areas: Collection[str]) -> list[str]:
    """Return the targets below ``/v1/<area>``, of OTHERS those that are in none of `areas`.

    A contract is not applicable where there are none.
    """
    found = [target for target in targets if _area(target, areas) == area]
    if not found:
        not_applicable(f"the server documents no such read of {area}")
    return found


def _area(target: str, areas: Collection[str]) -> str:
    found = re.match(r"/v1/([\w-]+)", target)
    return found[1] if found and found[1] in areas else OTHERS


def parameters_of(path: str) -> list[str]:
    """Return the names of the parameters in a path."""
    return re.findall(r"\{(\w+)\}", path)


def query_of(documented: dict[str, Any]) -> str:
    """Return the query, with its question mark, that an operation is asked with; an empty text for none."""
    names = [one.get("name") for one in documented.get("parameters", []) if one.get("in") == "query"]
    pairs = [f"{name}={value}" for name, value in _VALUES.items() if name in names]
    return f"?{'&'.join(pairs)}" if pairs else ""
