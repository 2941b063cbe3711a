"""Malformed requests: refused for what is wrong with them, and nothing is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, refused, status

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import AgentMaker
    from pytest_letta.handles import Handles
    from pytest_letta.ownership import Ledger

    from .asking import Ask

#: Method and path; the id is no id of any kind.
_IDS = {
    "agent": ("GET", "/v1/agents/no-id"),
    "update-agent": ("PATCH", "/v1/agents/no-id"),
    "delete-agent": ("DELETE", "/v1/agents/no-id"),
    "messages-of-agent": ("GET", "/v1/agents/no-id/messages"),
    "blocks-of-agent": ("GET", "/v1/agents/no-id/core-memory/blocks"),
    "passages-of-agent": ("GET", "/v1/agents/no-id/archival-memory"),
    "export-of-agent": ("GET", "/v1/agents/no-id/export"),
    "block": ("GET", "/v1/blocks/no-id"),
    "delete-block": ("DELETE", "/v1/blocks/no-id"),
    "message": ("GET", "/v1/messages/no-id"),
    "run": ("GET", "/v1/runs/no-id"),
    "conversation": ("GET", "/v1/conversations/no-id"),
    "tool": ("GET", "/v1/tools/no-id"),
    "archive": ("GET", "/v1/archives/no-id"),
    "folder": ("GET", "/v1/folders/no-id"),
}

#: The wrong part of a body that makes an agent, and the field that the refusal names.
_AGENTS: dict[str, tuple[dict[str, Any], str]] = {
    "name-number": ({"name": 5}, "name"),
    "name-null": ({"name": None}, "name"),
    "system-list": ({"system": []}, "system"),
    "description-number": ({"description": 5}, "description"),
    "metadata-text": ({"metadata": "x"}, "metadata"),
    "tags-text": ({"tags": "x"}, "tags"),
    "tag-number": ({"tags": [1]}, "tags"),
    "tools-text": ({"tools": "x"}, "tools"),
    "tool-id": ({"tool_ids": ["no-id"]}, "tool_ids"),
    "block-id": ({"block_ids": ["no-id"]}, "block_ids"),
    "blocks-object": ({"memory_blocks": {}}, "memory_blocks"),
    "block-without-label": ({"memory_blocks": [{"value": "x"}]}, "label"),
    "block-value-number": ({"memory_blocks": [{"label": "x", "value": 5}]}, "value"),
    "agent-type": ({"agent_type": "no_such_type"}, "agent_type"),
    "context-window-text": ({"context_window_limit": "many"}, "context_window_limit"),
    "model-number": ({"model": 5}, "model"),
}

#: Method, path below the agent or elsewhere, body, and the field that the refusal names.
_ELSEWHERE: dict[str, tuple[str, str, Any, str]] = {
    "update-name-number": ("PATCH", "{agent}", {"name": 5}, "name"),
    "update-tags-text": ("PATCH", "{agent}", {"tags": "x"}, "tags"),
    "edit-block-number": ("PATCH", "{agent}/core-memory/blocks/human", {"value": 5}, "value"),
    "edit-block-limit": ("PATCH", "{agent}/core-memory/blocks/human", {"limit": "many"}, "limit"),
    "block-without-label": ("POST", "/v1/blocks/", {"value": "x"}, "label"),
    "block-value-number": ("POST", "/v1/blocks/", {"label": "x", "value": 5}, "value"),
    "block-limit-text": ("POST", "/v1/blocks/", {"label": "x", "value": "x", "limit": "many"}, "limit"),
    "passage-without-text": ("POST", "{agent}/archival-memory", {}, "text"),
    "passage-tags-text": ("POST", "{agent}/archival-memory", {"text": "x", "tags": "x"}, "tags"),
    "passage-date": ("POST", "{agent}/archival-memory", {"text": "x", "created_at": "soon"}, "created_at"),
    "messages-missing": ("POST", "{agent}/messages", {}, "messages"),
    "messages-text": ("POST", "{agent}/messages", {"messages": "x"}, "messages"),
    "message-role": ("POST", "{agent}/messages", {"messages": [{"role": "x", "content": "x"}]}, "role"),
    "message-without-content": ("POST", "{agent}/messages", {"messages": [{"role": "user"}]}, "content"),
    "max-steps-text": ("POST", "{agent}/messages", {"input": "x", "max_steps": "many"}, "max_steps"),
    "agents-limit": ("GET", "/v1/agents/?limit=many", None, "limit"),
    "agents-order": ("GET", "/v1/agents/?order=sideways", None, "order"),
    "blocks-limit": ("GET", "/v1/blocks/?limit=1.5", None, "limit"),
    "messages-limit": ("GET", "{agent}/messages?limit=", None, "limit"),
    "search-without-query": ("GET", "{agent}/archival-memory/search", None, "query"),
}

_NO_JSON: dict[str, bytes] = {
    "no-body": b"",
    "cut": b'{"name": "x", "tags": [',
    "list": b"[]",
    "text": b'"x"',
    "null": b"null",
    "form": b"name=x&model=y",
    "not-utf-8": b'{"name": "\xff\xfe"}',
}


@pytest.mark.parametrize(("method", "path"), [pytest.param(*way, id=case) for case, way in _IDS.items()])
@contract(
    "REST-MALFORMED-001",
    because="clients tell a mistyped id from a lost agent by the text: the status moved from 404 to 400 to 422",
)
def test_malformed_id_is_refused_by_its_text(ask: Ask, method: str, path: str) -> None:
    """An id that is not of the documented form is refused, and the refusal repeats it."""
    answer = ask(method, path, {} if method == "PATCH" else None)

    # 422 since 0.13, 400 in 0.11 and 0.12 (runs: to this day), 404 up to 0.8.17.
    must(refused(answer, 422, 400, 404, naming="no-id"))


@pytest.mark.parametrize(("wrong", "field"), [pytest.param(*sent, id=case) for case, sent in _AGENTS.items()])
@contract(
    "REST-MALFORMED-002",
    needs=["agents"],
    because="integrators fix their request by the field that the refusal names: ZcChat#21, 'text' became 'content'",
)
def test_malformed_agent_is_refused_by_its_field(
    ask: Ask, letta_handles: Handles, letta_ledger: Ledger, wrong: dict[str, Any], field: str
) -> None:
    """Making an agent with a field of the wrong type is refused with 422 that names the field, and stores nothing."""
    tag = letta_ledger.name()

    answer = ask("POST", "/v1/agents/", {"name": tag, "tags": [tag], **letta_handles.fields(), **wrong})

    must(refused(answer, 422, naming=field))
    must(equal([], ask("GET", "/v1/agents/", name=tag, limit=5).json(), "agents of that name after the refusal"))
    must(equal([], ask("GET", "/v1/agents/", tags=tag, limit=5).json(), "agents of that tag after the refusal"))


@pytest.mark.parametrize(
    ("method", "path", "body", "field"), [pytest.param(*way, id=case) for case, way in _ELSEWHERE.items()]
)
@contract(
    "REST-MALFORMED-003",
    needs=["agents", "core_memory"],
    because="integrators fix their request by the field that the refusal names",
)
def test_malformed_request_is_refused_by_its_field(
    ask: Ask, make_letta_agent: AgentMaker, method: str, path: str, body: Any, field: str
) -> None:
    """A body or query that does not follow the documented form is refused with 422 that names the field."""
    blocks = [{"label": "human", "value": "Name unknown."}]
    agent = make_letta_agent(memory_blocks=blocks).path if "{agent}" in path else ""

    must(refused(ask(method, path.format(agent=agent), body), 422, naming=field))


@pytest.mark.parametrize("body", [pytest.param(body, id=case) for case, body in _NO_JSON.items()])
@contract(
    "REST-MALFORMED-004",
    needs=["agents"],
    because="a proxy that cuts or re-encodes bodies shows here, and must not show as a server error",
)
def test_body_that_is_no_json_object_is_refused(ask: Ask, body: bytes) -> None:
    """A body that is not a JSON object is refused with a JSON error that speaks of the body."""
    # 400 where the bytes cannot be read as text, 422 where they are text of the wrong form.
    must(refused(ask("POST", "/v1/agents/", body), 422, 400, naming="body"))


@contract(
    "REST-MALFORMED-005",
    needs=["agents"],
    because="HTML in place of JSON breaks every client at the worst place: letta-ai/letta#2065",
)
def test_errors_are_json(ask: Ask, letta_client: httpx.Client, unknown: str) -> None:
    """Errors come as application/json, for an unknown id, a malformed body and a route that does not exist."""
    answers = (
        (ask("GET", f"/v1/agents/agent-{unknown}"), 404),
        (ask("POST", "/v1/agents/", b"{"), 422),
        (letta_client.get("/v1/no-such-route"), 404),
    )
    for answer, code in answers:
        must(status(answer, code) or equal("application/json", answer.headers.get("content-type"), "content-type"))
