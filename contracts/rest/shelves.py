"""Lists that hold items of our own only, for the contracts about pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_letta.agent import AgentMaker
    from pytest_letta.ownership import Ledger

    from .asking import Ask, Takes


@dataclass(frozen=True)
class Shelf:
    """A list: its path, the filter that selects our items, and their ids as they were made, where that is known.

    `add` makes one more item and gives its id, where that is cheap.
    """

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    ids: tuple[str, ...] = ()
    add: Callable[[], str] | None = None


@dataclass(frozen=True)
class Filling:
    """What it takes to fill a list: `many` items, or a few more."""

    ask: Ask
    takes: Takes
    make: AgentMaker
    ledger: Ledger
    many: int

    def create(self, path: str, *bodies: Any, **query: str) -> tuple[str, ...]:
        """Create a resource of each body and return the ids."""
        answers = [self.ask("POST", path, body, **query) for body in bodies]
        return tuple(answer.raise_for_status().json()["id"] for answer in answers)


@dataclass(frozen=True)
class Kind:
    """How to fill a list of one kind, and how its pages follow each other.

    `needs` is a capability. `directions` are the queries for oldest first and newest first. With `is_chronological`
    the cursors mean earlier and later whatever the order is, else the places in the order that was asked for.
    `shows_oldest_first`: so does each page, whichever end it was cut from.
    """

    needs: str
    fill: Callable[[Filling], Shelf]
    directions: tuple[Mapping[str, str], Mapping[str, str]] = ({"order": "asc"}, {"order": "desc"})
    is_chronological: bool = False
    shows_oldest_first: bool = False

    def cursor(self, is_newest_first: bool, last: str) -> dict[str, str]:
        """Return what asks for the page after the one that ended with the item `last`."""
        return {"before" if self.is_chronological and is_newest_first else "after": last}


def _growing(by: Filling, path: str, query: Mapping[str, str], add: Callable[[], str]) -> Shelf:
    return Shelf(path, query, tuple(add() for _ in range(by.many)), add)


def _agents(by: Filling) -> Shelf:
    tag = by.ledger.name()
    return _growing(by, "/v1/agents/", {"tags": tag}, lambda: by.make(tags=[tag]).id)


def _blocks(by: Filling) -> Shelf:
    path, label = "/v1/blocks/", by.ledger.name()
    return _growing(by, path, {"label": label}, lambda: by.create(path, {"label": label, "value": "x"})[0])


def _agent_blocks(by: Filling) -> Shelf:
    agent = by.make(memory_blocks=[{"label": f"label-{number}", "value": "x"} for number in range(by.many)])
    return Shelf(f"{agent.path}/core-memory/blocks")


def _passages(by: Filling) -> Shelf:
    agent = by.make()
    return _growing(by, f"{agent.path}/archival-memory", {}, lambda: str(agent.insert_passage("A fact.")["id"]))


def _messages(by: Filling) -> Shelf:
    agent = by.make()
    for number in range(by.many // 2):  # each leaves a question and an answer, beside the system's message
        agent.send(f"Message {number}.")
    return Shelf(f"{agent.path}/messages")


def _runs(by: Filling) -> Shelf:
    agent = by.make()
    for number in range(by.many):
        agent.send(f"Message {number}.")
    # Up to Letta 0.13 the filter was a list.
    owner = "agent_id" if by.takes("GET", "/v1/runs/", "agent_id") else "agent_ids"
    return Shelf("/v1/runs/", {owner: agent.id})


def _conversations(by: Filling) -> Shelf:
    path, owner = "/v1/conversations/", {"agent_id": by.make().id}
    return _growing(by, path, owner, lambda: by.create(path, {}, **owner)[0])


def _archives(by: Filling) -> Shelf:
    path, name = "/v1/archives/", {"name": by.ledger.name()}
    return _growing(by, path, name, lambda: by.create(path, name)[0])


def _agent_folders(by: Filling) -> Shelf:
    agent = by.make()
    ids: tuple[str, ...] = ()
    # A list that confuses the order by id with that by age is right when they are the same by chance: make more.
    while len(ids) < by.many or (by.many > 2 and list(ids) in (sorted(ids), sorted(ids, reverse=True))):
        ids += by.create(
            "/v1/folders/", {"name": by.ledger.name(), "embedding_config": agent.state["embedding_config"]}
        )
        by.ask("PATCH", f"{agent.path}/folders/attach/{ids[-1]}").raise_for_status()
    return Shelf(f"{agent.path}/folders", ids=ids)


def _agent_tools(by: Filling) -> Shelf:
    names = [f"tool_{by.ledger.name().replace('-', '_')}" for _ in range(by.many)]
    ids = by.create("/v1/tools/", *({"source_code": f'def {name}():\n    """Do."""\n'} for name in names))
    # With the base tools there are too many for their orders by id and by age to be the same by chance.
    agent = by.make(tool_ids=list(ids), include_base_tools=True)
    return Shelf(f"{agent.path}/tools")


KINDS: Mapping[str, Kind] = {
    "agents": Kind("agents", _agents),
    "blocks": Kind("blocks", _blocks),
    "agent-blocks": Kind("core_memory", _agent_blocks),
    "agent-folders": Kind("folders", _agent_folders),
    "agent-tools": Kind("tools", _agent_tools),
    "archives": Kind("archives", _archives),
    "conversations": Kind("conversations", _conversations),
    "messages": Kind("messages", _messages, is_chronological=True, shows_oldest_first=True),
    "passages": Kind(
        "archival", _passages, directions=({"ascending": "true"}, {"ascending": "false"}), is_chronological=True
    ),
    "runs": Kind("runs", _runs),
}
