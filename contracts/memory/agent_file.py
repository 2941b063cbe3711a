"""Agent files for the contracts about export and import: written, read, and an agent with something in each place."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_letta import must
from pytest_letta.agent import Agent
from pytest_letta.conformance.checks import status

if TYPE_CHECKING:
    import httpx

    from pytest_letta.ownership import Ledger

#: What an agent of these contracts must not give away.
SECRET = "s3cr3t-4711"

BLOCKS = [
    {"label": "human", "value": "Line one.\nZoë \U0001f9ff  ", "limit": 777, "description": "Whom I talk to."},
    {"label": "rules", "value": "Never guess.", "limit": 500, "description": "What holds.", "read_only": True},
    {"label": "empty", "value": "", "limit": 90, "description": "Nothing yet.", "metadata": {"depth": {"n": [1]}}},
]

FIELDS = {
    "system": "You are a lighthouse keeper.",
    "description": "Keeps the light.",
    "metadata": {"shift": {"hours": [1, 2]}},
    "timezone": "Europe/Lisbon",
    "max_files_open": 7,
    "message_buffer_autoclear": False,
    "tools": ["memory_insert", "conversation_search"],
    "include_base_tools": False,
}


def export(agent: Agent, **query: Any) -> dict[str, Any]:
    """Return the agent's file, read as JSON."""
    answer = agent.client.get(f"{agent.path}/export", params=query)
    must(status(answer))
    return dict(answer.json())


def send_file(client: httpx.Client, content: str, **form: str) -> httpx.Response:
    """Upload an agent file as a browser's form does."""
    return client.post("/v1/agents/import", files={"file": ("agent.af", content, "application/json")}, data=form)


def import_copy(client: httpx.Client, ledger: Ledger, file: dict[str, Any], **form: str) -> Agent:
    """Import an agent file of one agent, and enter the copy and its blocks for deletion."""
    answer = send_file(client, json.dumps(file), **form)
    must(status(answer))
    (id,) = answer.json()["agent_ids"]
    state = client.get(f"/v1/agents/{id}")
    must(status(state))
    for block in state.json().get("memory", {}).get("blocks", ()):
        ledger.enter(f"/v1/blocks/{block['id']}")
    ledger.enter(f"/v1/agents/{id}")
    return Agent(id, state.json(), client)


def state_of(agent: Agent) -> dict[str, Any]:
    answer = agent.client.get(agent.path)
    must(status(answer))
    return dict(answer.json())


def blocks_of(agent: Agent, *fields: str) -> dict[str, dict[str, Any]]:
    """Return the named fields of each block, by its label."""
    answer = agent.client.get(f"{agent.path}/core-memory/blocks")
    must(status(answer))
    return {block["label"]: {field: block.get(field) for field in fields} for block in answer.json()}


def told(messages: list[dict[str, Any]]) -> list[str]:
    """Return one line for each message, of all but what makes it another one: its ids and dates."""
    kept = ("message_type", "name", "content", "tool_return", "status")
    return [
        json.dumps([message.get(field) for field in kept] + [_call(message.get("tool_call"))]) for message in messages
    ]


def _call(call: dict[str, Any] | None) -> Any:
    return call and [call.get("name"), call.get("arguments")]


Importer = Callable[..., Agent]
