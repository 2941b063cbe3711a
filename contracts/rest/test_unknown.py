"""What does not exist: refused with 404 by every route, and nothing else is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, refused, status, unchanged

if TYPE_CHECKING:
    from pytest_letta.agent import Agent, AgentMaker

    from .asking import Ask

_SAY = {"messages": [{"role": "user", "content": "Hi."}]}
_HERE = "an unknown agent that looks empty is an agent whose memory seems lost"

#: Method, path below the agent, body.
_BELOW_AGENT: dict[str, tuple[str, str, dict[str, Any] | None]] = {
    "messages": ("GET", "messages", None),
    "send-message": ("POST", "messages", _SAY),
    "send-stream": ("POST", "messages/stream", _SAY),
    "send-async": ("POST", "messages/async", _SAY),
    "reset-messages": ("PATCH", "reset-messages", {}),
    "context": ("GET", "context", None),
    "core-memory": ("GET", "core-memory", None),
    "blocks": ("GET", "core-memory/blocks", None),
    "block": ("GET", "core-memory/blocks/human", None),
    "edit-block": ("PATCH", "core-memory/blocks/human", {"value": "x"}),
    "attach-block": ("PATCH", "core-memory/blocks/attach/block-{unknown}", None),
    "passages": ("GET", "archival-memory", None),
    "insert-passage": ("POST", "archival-memory", {"text": "x"}),
    "search-passages": ("GET", "archival-memory/search?query=x", None),
    "tools": ("GET", "tools", None),
    "attach-tool": ("PATCH", "tools/attach/tool-{unknown}", None),
    "folders": ("GET", "folders", None),
    "files": ("GET", "files", None),
    "groups": ("GET", "groups", None),
    "export": ("GET", "export", None),
}

#: Method, path below an agent that exists, body, what the refusal names.
_PART_OF_AGENT: dict[str, tuple[str, str, dict[str, Any] | None, str]] = {
    "edit-block-by-label": ("PATCH", "core-memory/blocks/no-such-label", {"value": "Overwritten."}, "no-such-label"),
    "read-block-by-label": ("GET", "core-memory/blocks/no-such-label", None, "no-such-label"),
    "attach-block": ("PATCH", "core-memory/blocks/attach/block-{unknown}", None, "block-{unknown}"),
    "detach-block": ("PATCH", "core-memory/blocks/detach/block-{unknown}", None, "block-{unknown}"),
    "attach-tool": ("PATCH", "tools/attach/tool-{unknown}", None, "tool-{unknown}"),
    "approve-tool": ("PATCH", "tools/approval/no_such_tool", {"requires_approval": True}, "no_such_tool"),
    "run-tool": ("POST", "tools/no_such_tool/run", {"args": {}}, "no_such_tool"),
    "attach-folder": ("PATCH", "folders/attach/source-{unknown}", None, "source-{unknown}"),
    "delete-passage": ("DELETE", "archival-memory/passage-{unknown}", None, "passage-{unknown}"),
    "page-of-messages": ("GET", "messages?after=message-{unknown}", None, "message-{unknown}"),
}

_ELSEWHERE: dict[str, tuple[str, str]] = {
    "block": ("GET", "blocks/block-{unknown}"),
    "delete-block": ("DELETE", "blocks/block-{unknown}"),
    "agents-of-block": ("GET", "blocks/block-{unknown}/agents"),
    "message": ("GET", "messages/message-{unknown}"),
    "run": ("GET", "runs/run-{unknown}"),
    "delete-run": ("DELETE", "runs/run-{unknown}"),
    "messages-of-run": ("GET", "runs/run-{unknown}/messages"),
    "conversation": ("GET", "conversations/conv-{unknown}"),
    "messages-of-conversation": ("GET", "conversations/conv-{unknown}/messages"),
    "tool": ("GET", "tools/tool-{unknown}"),
    "delete-tool": ("DELETE", "tools/tool-{unknown}"),
    "archive": ("GET", "archives/archive-{unknown}"),
    "agents-of-archive": ("GET", "archives/archive-{unknown}/agents"),
    "folder": ("GET", "folders/source-{unknown}"),
    "files-of-folder": ("GET", "folders/source-{unknown}/files"),
    "step": ("GET", "steps/step-{unknown}"),
    "agents-of-folder": ("GET", "folders/source-{unknown}/agents"),
    "source": ("GET", "sources/source-{unknown}"),
    "agents-of-source": ("GET", "sources/source-{unknown}/agents"),
    "group": ("GET", "groups/group-{unknown}"),
    "delete-group": ("DELETE", "groups/group-{unknown}"),
    "messages-of-group": ("GET", "groups/group-{unknown}/messages"),
    "identity": ("GET", "identities/identity-{unknown}"),
    "delete-identity": ("DELETE", "identities/identity-{unknown}"),
    "agents-of-identity": ("GET", "identities/identity-{unknown}/agents"),
    "blocks-of-identity": ("GET", "identities/identity-{unknown}/blocks"),
    "provider": ("GET", "providers/provider-{unknown}"),
    "delete-provider": ("DELETE", "providers/provider-{unknown}"),
    "delete-archive": ("DELETE", "archives/archive-{unknown}"),
    "delete-folder": ("DELETE", "folders/source-{unknown}"),
    "delete-conversation": ("DELETE", "conversations/conv-{unknown}"),
}


@pytest.mark.parametrize(
    "method",
    [pytest.param("GET", id="read"), pytest.param("PATCH", id="update"), pytest.param("DELETE", id="delete")],
)
@contract(
    "REST-UNKNOWN-001", needs=["agents"], because="clients make a new agent when theirs is 404, and on nothing else"
)
def test_unknown_agent_is_refused_by_its_id(ask: Ask, unknown: str, method: str) -> None:
    """Reading, updating or deleting an agent that does not exist is refused with 404 that names its id."""
    body = {"description": "x"} if method == "PATCH" else None

    must(refused(ask(method, f"/v1/agents/agent-{unknown}", body), 404, naming=f"agent-{unknown}"))


@pytest.mark.parametrize(
    ("method", "path", "body"), [pytest.param(*way, id=case) for case, way in _BELOW_AGENT.items()]
)
@contract("REST-UNKNOWN-002", needs=["agents"], because=_HERE)
def test_nothing_is_found_below_an_unknown_agent(
    ask: Ask, unknown: str, method: str, path: str, body: dict[str, Any] | None
) -> None:
    """Whatever is asked for below an agent that does not exist is refused with 404 and a text about the agent."""
    asked = f"/v1/agents/agent-{unknown}/{path.format(unknown=unknown)}"

    # Some routes name the id, some only say "Agent not found".
    must(refused(ask(method, asked, body), 404, naming="agent"))


@pytest.mark.parametrize(
    ("method", "path", "body", "named"), [pytest.param(*way, id=case) for case, way in _PART_OF_AGENT.items()]
)
@contract(
    "REST-UNKNOWN-003",
    needs=["agents", "core_memory"],
    because="Letta 0.8.17 to 0.16.1 took an unknown label for another block and overwrote that: commit 3e15159d8",
)
def test_unknown_part_of_an_agent_is_refused_and_the_agent_stays(
    ask: Ask,
    make_letta_agent: AgentMaker,
    unknown: str,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    named: str,
) -> None:
    """What an agent does not have is refused with 404 that names it, and the agent with its blocks stays as it is."""
    blocks = [{"label": label, "value": f"This is {label}."} for label in ("human", "persona", "project")]
    agent = make_letta_agent(memory_blocks=blocks)
    before = _read(agent)

    answer = ask(method, f"{agent.path}/{path.format(unknown=unknown)}", body)

    must(unchanged(before, _read(agent), f"{method} of what does not exist", but=["updated_at"]))
    must(refused(answer, 404, naming=named.format(unknown=unknown)))


@pytest.mark.parametrize(("method", "path"), [pytest.param(*way, id=case) for case, way in _ELSEWHERE.items()])
@contract("REST-UNKNOWN-004", because="an empty answer in place of 404 hides a wrong id: letta-ai/letta-code#586")
def test_unknown_resource_is_refused_by_its_id(ask: Ask, unknown: str, method: str, path: str) -> None:
    """A resource that does not exist, and what would be below it, is refused with 404 that names its id."""
    asked = f"/v1/{path.format(unknown=unknown)}"

    must(refused(ask(method, asked), 404, naming=unknown))


def _read(agent: Agent) -> dict[str, Any]:
    answer = agent.client.get(agent.path)
    must(status(answer) or equal(agent.id, answer.json().get("id"), "id of the agent"))
    return dict(answer.json())
