"""Conversations for the contracts about them: begun, talked in, and read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from pytest_letta import must
from pytest_letta.conformance.checks import status

if TYPE_CHECKING:
    from pytest_letta.agent import Agent


@dataclass(frozen=True)
class Conversation:
    """One conversation of an agent."""

    id: str
    client: httpx.Client = field(repr=False)

    @property
    def path(self) -> str:
        return f"/v1/conversations/{self.id}"

    def send(self, text: str) -> None:
        message = {"role": "user", "content": text}
        must(status(self.client.post(f"{self.path}/messages", json={"messages": [message], "streaming": False})))

    def messages(self, **query: Any) -> list[dict[str, Any]]:
        """Return its messages, oldest first unless `query` says otherwise."""
        answer = self.client.get(f"{self.path}/messages", params={"order": "asc", "limit": 100, **query})
        must(status(answer))
        return list(answer.json())


def begin(agent: Agent) -> Conversation:
    """Begin a conversation with an agent; it is deleted with it."""
    answer = agent.client.post("/v1/conversations/", params={"agent_id": agent.id}, json={})
    must(status(answer, 200, 201))
    return Conversation(answer.json()["id"], agent.client)
