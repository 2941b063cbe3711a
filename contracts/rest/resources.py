"""Kinds of resources that are made, read, listed, changed and deleted alike: the table, and how to make one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import yaml

from pytest_letta import must, not_applicable
from pytest_letta.conformance.checks import status

if TYPE_CHECKING:
    import httpx

    from .asking import Ask, Takes

_TABLE = Path(__file__).with_name("resources.yaml")


@dataclass(frozen=True)
class Kind:
    """One entry of the table, as resources.yaml describes its fields."""

    path: str
    create: Mapping[str, Any]
    updates: Mapping[str, Mapping[str, Any]]
    needs: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    is_embedded: bool = False
    moves: tuple[str, ...] = ()
    selects: Mapping[str, str] | None = None
    is_exact: bool = False
    filters: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    count: str | None = None


KINDS: Mapping[str, Kind] = {
    name: Kind(**entry) for name, entry in yaml.safe_load(_TABLE.read_text(encoding="utf-8")).items()
}


class Values(Mapping[str, str]):
    """What stands for the ``$`` words of the table: made when it is first asked for, then the same."""

    def __init__(self, makers: Mapping[str, Callable[[], str]]) -> None:
        self._makers = makers
        self._made: dict[str, str] = {}

    def __getitem__(self, word: str) -> str:
        if word not in self._made:
            self._made[word] = self._makers[word]()
        return self._made[word]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def renew(self, *words: str) -> None:
        """Forget these, so that they are made anew."""
        for word in words:
            self._made.pop(word, None)

    def fill(self, value: Any) -> Any:
        """Return `value` of the table with its ``$`` words replaced, at any depth."""
        if isinstance(value, str):
            return Template(value).substitute(self)
        if isinstance(value, Mapping):
            return {key: self.fill(one) for key, one in value.items()}
        return [self.fill(one) for one in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Made:
    """A resource that was made: what was sent, what the server answered, and the queries that select it."""

    kind: Kind
    sent: Mapping[str, Any]
    state: Mapping[str, Any]
    selects: Mapping[str, str] | None
    filters: Mapping[str, Mapping[str, Mapping[str, str]]]

    @property
    def id(self) -> str:
        return str(self.state["id"])

    @property
    def path(self) -> str:
        return f"{self.kind.path}{self.id}"


class Shop:
    """Makes, reads and lists resources of one kind, ours only.

    `ask` sends a request, `takes` tells which names the server documents; `embedding` are the fields that choose one.
    """

    def __init__(self, kind: Kind, ask: Ask, takes: Takes, values: Values, embedding: Mapping[str, Any]) -> None:
        self.kind = kind
        self._embedding = embedding if kind.is_embedded else {}
        self.ask = ask
        self.takes = takes
        self._values = values

    def make(self, *, elsewhere: bool = False) -> Made:
        """Make a resource with every field that the table and the server know; those made before have other names.

        With `elsewhere` it hangs on other agents than those.
        """
        if elsewhere:
            self._values.renew("agent", "other_agent")
        sent, query = self.fill(self.kind.create), self._values.fill(self.kind.query)
        sent = {key: value for key, value in sent.items() if self.takes("POST", self.kind.path, key)}
        answer = self.send(sent, **query)
        must(status(answer, 200, 201))
        selects = None if self.kind.selects is None else self._values.fill(self.kind.selects)
        return Made(self.kind, sent, answer.json(), selects, self._values.fill(self.kind.filters))

    def send(self, sent: Mapping[str, Any], **query: Any) -> httpx.Response:
        """Ask for a resource of the fields `sent`, and of those that choose an embedding where it has one."""
        return self.ask("POST", self.kind.path, {**sent, **self._embedding}, **query)

    def read(self, made: Made) -> dict[str, Any]:
        answer = self.ask("GET", made.path)
        must(status(answer))
        return dict(answer.json())

    def selected(self, query: Mapping[str, str]) -> list[str]:
        """Return the ids that the list gives for a query; the contract ends where the server does not take it."""
        if not self.takes("GET", self.kind.path, *query):
            not_applicable(f"this server does not document {' and '.join(query)} for GET {self.kind.path}")
        answer = self.ask("GET", self.kind.path, **query)
        must(status(answer))
        return [str(one["id"]) for one in answer.json()]

    def listed_beside(self, made: Made) -> list[dict[str, Any]]:
        """Return the part of the list in which a resource must be: what selects it, its newest page, or all."""
        path = self.kind.path
        if made.selects and self.takes("GET", path, *made.selects):
            answer = self.ask("GET", path, **made.selects)
        elif self.takes("GET", path, "order", "limit"):
            answer = self.ask("GET", path, order="desc", limit=100)
        else:
            return self.whole()
        must(status(answer))
        return list(answer.json())

    def whole(self) -> list[dict[str, Any]]:
        """Return the whole list."""
        if self.takes("GET", self.kind.path, "after", "limit"):
            return walked(self.ask, self.kind.path)
        answer = self.ask("GET", self.kind.path)
        must(status(answer))
        return list(answer.json())

    def fill(self, value: Any) -> Any:
        """Return a part of the table with names that no other resource has."""
        self._values.renew("name", "word")
        return self._values.fill(value)


def walked(ask: Ask, path: str, limit: int = 200) -> list[dict[str, Any]]:
    """Return all of a list that goes by pages. A page that is not full, or has nothing new, is the last."""
    items: dict[str, dict[str, Any]] = {}
    cursor: dict[str, str] = {}
    while True:
        answer = ask("GET", path, limit=limit, **cursor)
        must(status(answer))
        page, known = answer.json(), len(items)
        items.update({one["id"]: one for one in page})
        if len(page) < limit or len(items) == known:
            return list(items.values())
        cursor = {"after": page[-1]["id"]}
