"""Differential: whatever the server documents is answered through the proxy as it is directly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.differential import MORE_HEADERS, Question

from .reads import OTHERS, documented_reads, parameters_of, query_of, within

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.deployment import Deployment

    from .conftest import Differing


_AREAS = (
    *("admin", "agents", "archives", "blocks", "conversations", "folders", "groups", "identities", "jobs"),
    *(
        "mcp-servers",
        "messages",
        "models",
        "providers",
        "runs",
        "sandbox-config",
        "sources",
        "steps",
        "tags",
        "tools",
    ),
)
_UNKNOWN = "/v1/agents/agent-00000000-0000-4000-8000-000000000000"
_JSON = {"Content-Type": "application/json"}
_DESCRIBED = json.dumps(
    {"description": "\u00c5se & \u4e16\u754c \U0001f680 <b>\\ /", "metadata": {"a": [1, 1.5, None]}}
).encode()


def _readable(deployment: Deployment, known: frozenset[str]) -> Iterator[str]:
    """Give the targets of the documented reads whose path parameters are just those that are `known`."""
    for path, documented in documented_reads(deployment):
        if set(parameters_of(path)) == known:
            yield path + query_of(documented)


@contract(
    "NET-DIFF-001", needs=["proxy"], because="a proxy with one rule too many breaks one route, which nobody looks at"
)
@pytest.mark.parametrize("area", [pytest.param(area, id=area) for area in (*_AREAS, OTHERS)])
def test_documented_lists_are_the_same_through_the_proxy(
    area: str, letta_deployment: Deployment, differing: Differing
) -> None:
    """Every documented read without ids has the same status, headers and body through the proxy as directly."""
    for target in within(_readable(letta_deployment, frozenset()), area, _AREAS):
        must(differing(Question(target), MORE_HEADERS))


@contract("NET-DIFF-002", needs=["agents", "proxy"], because="what is read of an agent must not depend on the way")
@pytest.mark.parametrize(
    "known",
    [
        pytest.param(frozenset({"agent_id"}), id="agent"),
        pytest.param(frozenset({"agent_id", "block_label"}), id="block"),
    ],
)
def test_reads_of_an_agent_are_the_same_through_the_proxy(
    known: frozenset[str], letta_agent: Agent, letta_deployment: Deployment, differing: Differing
) -> None:
    """Every documented read of an agent has the same status, headers and body through the proxy as directly."""
    for target in _readable(letta_deployment, known):
        path = target.replace("{agent_id}", letta_agent.id).replace("{block_label}", "human")
        must(differing(Question(path), MORE_HEADERS))


@contract(
    "NET-DIFF-003", needs=["agents", "proxy"], because="a proxy that checks or changes bodies breaks writes only"
)
@pytest.mark.parametrize(
    ("method", "target", "headers", "content"),
    [
        pytest.param("PATCH", "{agent}", _JSON, _DESCRIBED, id="change"),
        pytest.param("PATCH", "{agent}", _JSON, b"{}", id="empty-object"),
        pytest.param("PATCH", "{agent}", _JSON, b"", id="empty-body"),
        pytest.param("PATCH", "{agent}", _JSON, b'{"name": {}}', id="wrong-type"),
        pytest.param("PATCH", "{agent}", _JSON, b'{"name": ', id="malformed-json"),
        pytest.param("PATCH", "{agent}", _JSON, b'{"name": "\xff"}', id="not-utf-8"),
        pytest.param("PATCH", "{agent}", {}, b"{}", id="no-content-type"),
        pytest.param("POST", "/v1/agents/", _JSON, b"[]", id="not-an-object"),
        pytest.param(
            "POST", "/v1/agents/", {"Content-Type": "application/x-www-form-urlencoded"}, b"a=1&b=%26", id="form"
        ),
        pytest.param("PATCH", _UNKNOWN, _JSON, b"{}", id="change-of-nobody"),
        pytest.param("DELETE", _UNKNOWN, {}, None, id="deletion-of-nobody"),
        pytest.param("DELETE", "/v1/agents/nobody", {}, None, id="deletion-of-a-malformed-id"),
        pytest.param("PUT", "/v1/agents/", _JSON, b"{}", id="method-not-allowed"),
        pytest.param("POST", "/v1/pytest-letta-no-such-path", _JSON, b"{}", id="no-such-path"),
    ],
)
def test_writes_are_answered_alike_through_the_proxy(
    method: str, target: str, headers: dict[str, str], content: bytes | None, letta_agent: Agent, differing: Differing
) -> None:
    """Writes, also empty, malformed and refused ones, are answered through the proxy as they are directly."""
    must(differing(Question(target.format(agent=letta_agent.path), method, headers, content)))
