"""Agents for tests: created with the mark of this run, removed with all that hangs on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from pytest_letta.handles import Handles
    from pytest_letta.ownership import Ledger


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent of the deployment. `state` is what the server answered when it was created."""

    id: str
    state: Mapping[str, Any] = field(repr=False)
    client: httpx.Client = field(repr=False)

    @property
    def path(self) -> str:
        return f"/v1/agents/{self.id}"

    def at(self, client: httpx.Client) -> Agent:
        """Return the agent of the same id of another server."""
        return replace(self, client=client)

    def send(self, text: str, **body: Any) -> dict[str, Any]:
        """Send a user message and return the answer: ``messages``, ``stop_reason`` and ``usage``.

        `body` adds fields to the request. Raises httpx.HTTPStatusError for any answer but success.
        """
        return _json(self.try_send(text, **body))  # type: ignore[no-any-return]

    def try_send(self, text: str, **body: Any) -> httpx.Response:
        """Send a user message, as `send` does, and return whatever comes: an answer or a refusal."""
        message = {"role": "user", "content": text}
        return self.client.post(f"{self.path}/messages", json={"messages": [message], **body})

    def messages(self, **query: Any) -> list[dict[str, Any]]:
        """Return the stored messages, oldest first within the page (1,000 unless `query` says otherwise)."""
        return _json(self.client.get(f"{self.path}/messages", params={"limit": 1000, **query}))  # type: ignore[no-any-return]

    def block(self, label: str) -> dict[str, Any]:
        """Return the core memory block `label`."""
        return _json(self.client.get(f"{self.path}/core-memory/blocks/{label}"))  # type: ignore[no-any-return]

    def edit_block(self, label: str, value: str) -> dict[str, Any]:
        """Replace the text of a core memory block and return the block."""
        return _json(self.client.patch(f"{self.path}/core-memory/blocks/{label}", json={"value": value}))  # type: ignore[no-any-return]

    def insert_passage(self, text: str, tags: list[str] | None = None) -> dict[str, Any]:
        """Store a passage in archival memory and return it."""
        body = {"text": text} if tags is None else {"text": text, "tags": tags}
        return _json(self.client.post(f"{self.path}/archival-memory", json=body))[0]  # type: ignore[no-any-return]

    def search_passages(self, query: str, top_k: int = 5) -> list[dict[str, Any]]:
        """Return the nearest passages of archival memory: ``content``, ``tags``, ``timestamp`` each."""
        found = _json(self.client.get(f"{self.path}/archival-memory/search", params={"query": query, "top_k": top_k}))
        return found["results"]  # type: ignore[no-any-return]


class AgentMaker:
    """Creates agents: the defaults of this run, then `defaults`, then the fields of the call."""

    def __init__(self, client: httpx.Client, handles: Handles, ledger: Ledger, defaults: Mapping[str, Any]) -> None:
        self._client = client
        self._handles = handles
        self._ledger = ledger
        self._defaults = defaults
        self._made: list[Agent] = []

    def __call__(self, **fields: Any) -> Agent:
        """Create an agent; raise httpx.HTTPStatusError when the server refuses."""
        own_tags = self._ledger.tags
        body: dict[str, Any] = {
            "name": self._ledger.name(),
            **self._handles.fields(),
            **self._defaults,
            **fields,
        }
        body["tags"] = [*own_tags, *(tag for tag in body.get("tags", ()) if tag not in own_tags)]
        state = _json(self._client.post("/v1/agents/", json=body))
        agent = Agent(state["id"], state, self._client)
        self._note(agent)
        return agent

    def _note(self, agent: Agent) -> None:
        """Enter the agent and the blocks that came with it: the server keeps those when the agent goes."""
        given = set(self._defaults.get("block_ids") or ())
        for block in agent.state.get("memory", {}).get("blocks", ()):
            if block["id"] not in given:
                self._ledger.enter(f"/v1/blocks/{block['id']}")
        self._ledger.enter(agent.path)
        self._made.append(agent)

    def note_archives(self, *ids: str) -> None:
        """Enter the archives that the server made for the agents `ids`, or all made here: they outlive them too.

        When the server is away none is found; that its agent is left behind is told then.
        """
        for id in ids or [agent.id for agent in self._made]:
            for archive in self._archives_of(id):
                self._ledger.enter(f"/v1/archives/{archive['id']}")

    def _archives_of(self, agent: str) -> list[dict[str, Any]]:
        import httpx

        try:
            answer = self._client.get("/v1/archives/", params={"agent_id": agent})
        except httpx.TransportError:
            return []
        return answer.json() if answer.status_code == 200 else []


def _json(answer: httpx.Response) -> Any:
    if answer.is_error:
        import httpx

        from pytest_letta.telling import answered

        raise httpx.HTTPStatusError(answered(answer), request=answer.request, response=answer)
    return answer.json()
