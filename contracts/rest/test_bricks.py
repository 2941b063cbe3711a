"""What a server took must not break it: neither the agent that was changed, nor the lists of everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, could_not_run, must
from pytest_letta.conformance.checks import equal, refused, status

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.handles import Handles
    from pytest_letta.ownership import Ledger

    from .asking import Ask

_UPDATES: dict[str, dict[str, Any]] = {
    "name-with-dot": {"name": "pytest-letta v1.0"},
    "name-with-emoji": {"name": "pytest-letta \U0001f9ff"},
    "metadata-lone-surrogate": {"metadata": {"a": "\ud83d"}},
    "timezone-unknown": {"timezone": "Mars/Base"},
    "context-empty": {"message_ids": []},
    "context-window-negative": {"context_window_limit": -1},
    "context-window-over-64-bits": {"context_window_limit": 2**63},
}


def _nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


#: Metadata that can be stored as JSON, and that not every writer of JSON can write.
_METADATA: dict[str, dict[str, Any]] = {
    "nested-260-deep": _nested(260),
    "integer-over-64-bits": {"a": 2**64},
    "key-lone-surrogate": {"\ud83d": 1},
}


@pytest.mark.parametrize("sent", [pytest.param(sent, id=case) for case, sent in _UPDATES.items()])
@contract(
    "REST-BRICK-001",
    needs=["messages", "core_memory"],
    because="an update that is answered with 200 and silences the agent is found only by its users",
)
def test_accepted_update_leaves_the_agent_in_working_order(
    ask: Ask, letta_agent: Agent, sent: dict[str, Any]
) -> None:
    """After an update, accepted or refused, the agent can be read, its block edited, and it answers a message."""
    answer = ask("PATCH", letta_agent.path, sent)
    if not answer.is_success:
        must(refused(answer, 400, 422))

    must(status(ask("GET", letta_agent.path)))
    must(status(ask("PATCH", f"{letta_agent.path}/core-memory/blocks/human", {"value": "Ada."})))
    must(status(ask("POST", f"{letta_agent.path}/messages", {"messages": [{"role": "user", "content": "Hi."}]})))


# The three that follow need a stack of ours ("kill"), and run alone on it: where the promise is broken, the list of
# agents or blocks is broken for everybody who uses the server, until the poison is deleted.


@pytest.mark.parametrize("metadata", [pytest.param(metadata, id=case) for case, metadata in _METADATA.items()])
@contract(
    "REST-BRICK-002",
    needs=["agents", "folders", "kill"],
    because="one refused request makes the agents of a whole organization disappear from every client",
)
def test_new_agent_does_not_break_the_list_of_agents(
    ask: Ask, letta_handles: Handles, letta_ledger: Ledger, metadata: dict[str, Any]
) -> None:
    """Making an agent, whether it is accepted or refused, leaves the list readable; a refused one is not stored."""
    body = {"tags": letta_ledger.tags, **letta_handles.fields()}
    holder = _Holder(ask, body, letta_handles.embedding_fields(), letta_ledger)
    holder.must_know_its_agents()

    try:
        answer = ask(
            "POST", "/v1/agents/", {**body, **holder.fields, "name": letta_ledger.name(), "metadata": metadata}
        )
        listed, held = ask("GET", "/v1/agents/", limit=1), holder.agents()
    finally:
        holder.delete_its_agents()

    must(status(ask("GET", "/v1/agents/", limit=1)))
    must(status(listed))
    if not answer.is_success:
        must(refused(answer, 400, 422) or equal([], held, "agents stored by the refused creation"))


@pytest.mark.parametrize("metadata", [pytest.param(metadata, id=case) for case, metadata in _METADATA.items()])
@contract(
    "REST-BRICK-003",
    needs=["agents", "kill"],
    because="one update makes the agents of a whole organization disappear from every client",
)
def test_update_of_an_agent_does_not_break_the_list(
    ask: Ask, make_letta_agent: AgentMaker, metadata: dict[str, Any]
) -> None:
    """Updating an agent, whether it is accepted or refused, leaves the list of agents readable."""
    agent = make_letta_agent()

    try:
        ask("PATCH", agent.path, {"metadata": metadata})
        listed = ask("GET", "/v1/agents/", limit=1)
    finally:
        gone = agent.client.delete(agent.path)

    must(status(gone, 200, 204) or status(ask("GET", "/v1/agents/", limit=1)))
    must(status(listed))


@pytest.mark.parametrize("metadata", [pytest.param(metadata, id=case) for case, metadata in _METADATA.items()])
@contract(
    "REST-BRICK-004",
    needs=["blocks", "kill"],
    because="one update makes the blocks of a whole organization disappear from every client",
)
def test_update_of_a_block_does_not_break_the_list(ask: Ask, letta_ledger: Ledger, metadata: dict[str, Any]) -> None:
    """Updating a block, whether it is accepted or refused, leaves the list of blocks readable."""
    label = letta_ledger.name()
    made = ask("POST", "/v1/blocks/", {"label": label, "value": "x"})
    must(status(made))
    path = f"/v1/blocks/{made.json()['id']}"

    try:
        ask("PATCH", path, {"metadata": metadata})
        listed = ask("GET", "/v1/blocks/", limit=5, label=label)
    finally:
        gone = ask("DELETE", path)

    must(status(gone, 200, 204) or status(ask("GET", "/v1/blocks/", limit=1)))
    must(status(listed))


class _Holder:
    """A folder: it gives the ids of its agents without their states, so that a poisoned one can be found by it."""

    def __init__(self, ask: Ask, body: dict[str, Any], embedding: dict[str, Any], ledger: Ledger) -> None:
        self._ask, self._body, self._ledger = ask, body, ledger
        made = ask("POST", "/v1/folders/", {"name": ledger.name(), **embedding})
        if not made.is_success:
            could_not_run(f"no folder to find the agent by: POST /v1/folders/ answered {made.status_code}")
        self._path = f"/v1/folders/{made.json()['id']}"
        self._id = made.json()["id"]
        self.fields: dict[str, list[str]] = {}

    def agents(self) -> list[str]:
        answer: httpx.Response = self._ask("GET", f"{self._path}/agents")
        return list(answer.raise_for_status().json())

    def must_know_its_agents(self) -> None:
        """End the contract where a harmless agent cannot be found by the folder: then no poison must be made."""
        for name in ("folder_ids", "source_ids"):  # the latter up to Letta 0.11
            self.fields = {name: [self._id]}
            made = self._ask("POST", "/v1/agents/", {**self._body, **self.fields, "name": self._ledger.name()})
            must(status(made))
            if self.agents() == [made.json()["id"]]:
                self.delete_its_agents()
                return
        could_not_run("a poisoned agent could not be removed: the folder does not give the id of its agent")

    def delete_its_agents(self) -> None:
        for id in self.agents():
            self._ledger.enter(f"/v1/agents/{id}")  # a second chance, should this one fail
            must(status(self._ask("DELETE", f"/v1/agents/{id}"), 200, 204))
