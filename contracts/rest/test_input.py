"""Hostile input: taken or refused, never a server error, and the server goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, not_a_server_error, refused, status

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.handles import Handles
    from pytest_letta.ownership import Ledger

    from .asking import Ask

_NUL, _LONE = "a\0b", "\ud83d"
_BECAUSE = (
    "a server error for bad input hides what is wrong and drops the connection: letta-ai/letta commits "
    "9a8d381b1, 81398118d, dbdd1a40e"
)

_QUERIES = {
    "agents-limit-negative": "/v1/agents/?limit=-1&tags=none",
    "agents-limit-over-32-bits": "/v1/agents/?limit=2147483648&tags=none",
    "agents-limit-over-64-bits": "/v1/agents/?limit=9223372036854775808&tags=none",
    "agents-name-nul": "/v1/agents/?name=a%00b",
    "agents-name-sql": "/v1/agents/?name=%27%29%3B--",
    "agents-name-long": f"/v1/agents/?name={'x' * 4000}",
    "agents-tags-nul": "/v1/agents/?tags=a%00b",
    "agents-text-nul": "/v1/agents/?query_text=a%00b",
    "agents-cursor-nul": "/v1/agents/?tags=none&after=a%00b",
    "agents-count-nul": "/v1/agents/count?name=a%00b",
    "blocks-limit-negative": "/v1/blocks/?limit=-1&label=none",
    "blocks-label-nul": "/v1/blocks/?label=a%00b",
    "blocks-text-nul": "/v1/blocks/?value_search=a%00b",
    "runs-limit-negative": "/v1/runs/?limit=-1",
    "runs-agent-nul": "/v1/runs/?agent_id=a%00b",
    "messages-limit-negative": "{agent}/messages?limit=-1",
    "messages-limit-over-64-bits": "{agent}/messages?limit=9223372036854775808",
    "messages-cursor-nul": "{agent}/messages?after=a%00b",
    "passages-limit-negative": "{agent}/archival-memory?limit=-1",
    "passages-text-nul": "{agent}/archival-memory?search=a%00b",
    "agent-blocks-limit-negative": "{agent}/core-memory/blocks?limit=-1",
    "block-label-nul": "{agent}/core-memory/blocks/a%00b",
    "block-label-not-utf-8": "{agent}/core-memory/blocks/a%ff%feb",
    "search-query-nul": "{agent}/archival-memory/search?query=a%00b",
    "search-top-k-negative": "{agent}/archival-memory/search?query=x&top_k=-1",
    "search-top-k-over-64-bits": "{agent}/archival-memory/search?query=x&top_k=9223372036854775808",
}

_NEW_AGENTS: dict[str, dict[str, Any]] = {
    "name-with-dot": {"name": "v1.0"},
    "name-with-slash": {"name": "team/bot"},
    "name-with-line-end": {"name": "a\nb"},
    "name-with-emoji": {"name": "bot \U0001f9ff"},
    "name-nul": {"name": _NUL},
    "name-lone-surrogate": {"name": _LONE},
    "name-empty": {"name": ""},
    "name-long": {"name": "x" * 10_000},
    "description-nul": {"description": _NUL},
    "description-lone-surrogate": {"description": _LONE},
    "system-nul": {"system": _NUL},
    "tag-nul": {"tags": [_NUL]},
    "metadata-nul": {"metadata": {"a": _NUL}},
    "metadata-not-a-number": {"metadata": {"a": float("nan")}},
    "timezone-unknown": {"timezone": "Mars/Base"},
    "context-window-negative": {"context_window_limit": -1},
    "context-window-over-64-bits": {"context_window_limit": 2**63},
    "block-value-nul": {"memory_blocks": [{"label": "human", "value": _NUL}]},
    "block-value-lone-surrogate": {"memory_blocks": [{"label": "human", "value": _LONE}]},
    "block-label-nul": {"memory_blocks": [{"label": _NUL, "value": "x"}]},
    "block-limit-over-32-bits": {"memory_blocks": [{"label": "human", "value": "x", "limit": 2**31}]},
    "tool-unknown": {"tools": ["no_such_tool"]},
    "tool-nul": {"tools": [_NUL]},
    "tool-id-unknown": {"tool_ids": ["tool-00000000-0000-4000-8000-000000000000"]},
    "model-empty": {"model": ""},
    "model-without-provider": {"model": "no-such-model"},
    "embedding-unknown": {"embedding": "no-such-provider/no-such-model"},
    "model-missing": {"model": None},
}

_WRITES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "agent-description-nul": ("PATCH", "{agent}", {"description": _NUL}),
    "agent-name-nul": ("PATCH", "{agent}", {"name": _NUL}),
    "agent-tag-nul": ("PATCH", "{agent}", {"tags": [_NUL]}),
    "agent-block-unknown": ("PATCH", "{agent}", {"block_ids": ["block-00000000-0000-4000-8000-000000000000"]}),
    "agent-tool-unknown": ("PATCH", "{agent}", {"tool_ids": ["tool-00000000-0000-4000-8000-000000000000"]}),
    "edit-value-nul": ("PATCH", "{agent}/core-memory/blocks/human", {"value": _NUL}),
    "edit-value-lone-surrogate": ("PATCH", "{agent}/core-memory/blocks/human", {"value": _LONE}),
    "edit-limit-over-32-bits": ("PATCH", "{agent}/core-memory/blocks/human", {"limit": 2**31}),
    "edit-label-nul": ("PATCH", "{agent}/core-memory/blocks/human", {"label": _NUL}),
    "block-value-nul": ("POST", "/v1/blocks/", {"label": "x", "value": _NUL}),
    "block-label-nul": ("POST", "/v1/blocks/", {"label": _NUL, "value": "x"}),
    "block-description-nul": ("POST", "/v1/blocks/", {"label": "x", "value": "x", "description": _NUL}),
    "block-limit-over-32-bits": ("POST", "/v1/blocks/", {"label": "x", "value": "x", "limit": 2**31}),
    "passage-nul": ("POST", "{agent}/archival-memory", {"text": _NUL}),
    "passage-lone-surrogate": ("POST", "{agent}/archival-memory", {"text": _LONE}),
    "passage-long": ("POST", "{agent}/archival-memory", {"text": "word " * 50_000}),
    "passage-tag-nul": ("POST", "{agent}/archival-memory", {"text": "x", "tags": [_NUL]}),
    "passage-of-year-1": ("POST", "{agent}/archival-memory", {"text": "x", "created_at": "0001-01-01T00:00:00"}),
    "archive-name-nul": ("POST", "/v1/archives/", {"name": _NUL}),
    "tool-source-broken": ("POST", "/v1/tools/", {"source_code": "def (:"}),
    "tool-source-nul": ("POST", "/v1/tools/", {"source_code": "def f():\n  '''\0'''"}),
}

_MESSAGES: dict[str, dict[str, Any]] = {
    "nul": {"messages": [{"role": "user", "content": _NUL}]},
    "lone-surrogate": {"messages": [{"role": "user", "content": _LONE}]},
    "empty": {"messages": [{"role": "user", "content": ""}]},
    "none": {"messages": []},
    "no-parts": {"messages": [{"role": "user", "content": []}]},
    "image-of-file": {
        "messages": [
            {"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "file:///etc/passwd"}}]}
        ]
    },
    "no-approval-awaited": {"messages": [{"type": "approval", "approvals": []}]},
    "otid-nul": {"messages": [{"role": "user", "content": "Hi.", "otid": _NUL}]},
}


@pytest.mark.parametrize("path", [pytest.param(path, id=case) for case, path in _QUERIES.items()])
@contract("REST-INPUT-001", needs=["agents"], because=_BECAUSE)
def test_hostile_query_is_no_server_error(ask: Ask, make_letta_agent: AgentMaker, path: str) -> None:
    """A hostile query or path is answered or refused with a JSON error, not with a server error."""
    agent = make_letta_agent().path if "{agent}" in path else ""

    _must_bear(ask("GET", path.format(agent=agent)), ask)


@pytest.mark.parametrize("hostile", [pytest.param(fields, id=case) for case, fields in _NEW_AGENTS.items()])
@contract("REST-INPUT-002", needs=["agents"], because=_BECAUSE)
def test_hostile_agent_is_no_server_error(
    ask: Ask, letta_handles: Handles, letta_ledger: Ledger, hostile: dict[str, Any]
) -> None:
    """A hostile new agent is made, or refused with a JSON error and not stored; it is no server error."""
    tag = letta_ledger.name()
    tags = [*letta_ledger.tags, tag, *hostile.get("tags", ())]

    answer = ask(
        "POST", "/v1/agents/", {"name": letta_ledger.name(), **letta_handles.fields(), **hostile, "tags": tags}
    )

    stored = [agent["id"] for agent in ask("GET", "/v1/agents/", tags=tag, limit=5).raise_for_status().json()]
    for id in stored:
        letta_ledger.enter(f"/v1/agents/{id}")
    must(not_a_server_error(answer))
    if not answer.is_success:
        must(refused(answer, answer.status_code) or equal([], stored, "agents stored by the refused creation"))


@pytest.mark.parametrize(("method", "path", "body"), [pytest.param(*way, id=case) for case, way in _WRITES.items()])
@contract("REST-INPUT-003", needs=["agents", "core_memory"], because=_BECAUSE)
def test_hostile_write_is_no_server_error(
    ask: Ask, letta_agent: Agent, method: str, path: str, body: dict[str, Any]
) -> None:
    """A hostile write is done or refused with a JSON error, not with a server error."""
    _must_bear(ask(method, path.format(agent=letta_agent.path), body), ask)


@pytest.mark.parametrize("body", [pytest.param(body, id=case) for case, body in _MESSAGES.items()])
@contract("REST-INPUT-004", needs=["messages"], because=_BECAUSE)
def test_hostile_message_is_no_server_error(ask: Ask, letta_agent: Agent, body: dict[str, Any]) -> None:
    """A hostile message is answered or refused with a JSON error, not with a server error."""
    _must_bear(ask("POST", f"{letta_agent.path}/messages", body), ask)


def _must_bear(answer: httpx.Response, ask: Ask) -> None:
    """Fail for a server error or an error that is no JSON, and when the server does not go on."""
    must(not_a_server_error(answer))
    if not answer.is_success:
        must(refused(answer, answer.status_code))
    must(status(ask("GET", "/v1/agents/", limit=1)))
