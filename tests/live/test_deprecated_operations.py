"""The table of deprecated operations, held against a real server."""

from __future__ import annotations

from pathlib import Path

import httpx
import yaml

from pytest_letta.spec import Spec
from pytest_letta.stack.stack import Stack

TABLE = Path(__file__).parents[2] / "contracts" / "rest" / "deprecated.yaml"


def test_every_deprecated_operation_has_its_call(live_stack: Stack) -> None:
    spec = Spec.from_openapi(httpx.get(f"{live_stack.url}/openapi.json").json())
    calls = [line.split(" ")[:2] for line in yaml.safe_load(TABLE.read_text(encoding="utf-8")).values()]

    called = [spec.operation_for(method, path) for method, path in calls]
    assert sorted(map(str, called)) == sorted(key for key, one in spec.operations.items() if one.is_deprecated)
