"""Unknown ids: routes below an id of anything are refused through the proxy as they are directly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.differential import Question

from .reads import OTHERS, documented_reads, parameters_of, query_of, within

if TYPE_CHECKING:
    from pytest_letta.deployment import Deployment

    from .conftest import Differing

_UUID = "00000000-0000-4000-8000-000000000000"
_AREAS = (
    *("archives", "blocks", "conversations", "folders", "groups", "identities", "mcp-servers", "messages", "runs"),
    *("sources", "steps"),
)
#: Of an agent of our own; see NET-DIFF-002.
_OF_AGENTS = ({"agent_id"}, {"agent_id", "block_label"})


def _below_unknown_ids(deployment: Deployment) -> Iterator[str]:
    """Give the targets of the documented reads that need ids, each with ids that are well-formed and of nothing."""
    for path, documented in documented_reads(deployment):
        names = parameters_of(path)
        if names and set(names) not in _OF_AGENTS:
            for name in names:
                path = path.replace(f"{{{name}}}", _unknown(name, documented))
            yield path + query_of(documented)


def _unknown(name: str, documented: dict[str, Any]) -> str:
    """Return a value that nothing has: with the prefix that the documented pattern demands, else that of the name."""
    parameters = documented.get("parameters", [])
    schema: dict[str, Any] = next((one.get("schema", {}) for one in parameters if one.get("name") == name), {})
    prefix = re.search(r"(\w+)-\[0-9a-f\]", schema.get("pattern") or "")
    return f"{prefix[1] if prefix else name.removesuffix('_id')}-{_UUID}"


@contract(
    "NET-DIFF-004",
    needs=["proxy"],
    because="a route that nobody uses until it is needed leads elsewhere for years",
)
@pytest.mark.parametrize("area", [pytest.param(area, id=area) for area in (*_AREAS, OTHERS)])
def test_unknown_ids_are_refused_alike_through_the_proxy(
    area: str, letta_deployment: Deployment, differing: Differing
) -> None:
    """Every documented read by ids that nothing has is answered through the proxy as it is directly."""
    for target in within(_below_unknown_ids(letta_deployment), area, _AREAS):
        must(differing(Question(target)))
