"""Kinds of resources that are made, read, listed, changed and deleted alike: the table, and how to make one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import yaml

from pytest_letta import must
from pytest_letta.conformance.checks import status

if TYPE_CHECKING:
    from .conftest import Ask

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
    moves: tuple[str, ...] = ()
    selects: Mapping[str, str] | None = None
    is_exact: bool = False
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
    """A resource that was made: what was sent, and what the server answered."""

    kind: Kind
    sent: Mapping[str, Any]
    state: Mapping[str, Any]
    selects: Mapping[str, str] | None

    @property
    def id(self) -> str:
        return str(self.state["id"])

    @property
    def path(self) -> str:
        return f"{self.kind.path}{self.id}"


class Shop:
    """Makes, reads and lists resources of one kind, ours only."""

    def __init__(self, kind: Kind, ask: Ask, values: Values) -> None:
        self.kind = kind
        self._ask = ask
        self._values = values

    def make(self) -> Made:
        """Make a resource with every field that the table knows; those made before have other names."""
        self._values.renew("name", "word")
        sent, query = self._values.fill(self.kind.create), self._values.fill(self.kind.query)
        answer = self._ask("POST", self.kind.path, sent, **query)
        must(status(answer, 200, 201))
        selects = None if self.kind.selects is None else self._values.fill(self.kind.selects)
        return Made(self.kind, sent, answer.json(), selects)

    def read(self, made: Made) -> dict[str, Any]:
        answer = self._ask("GET", made.path)
        must(status(answer))
        return dict(answer.json())

    def listed(self, **query: Any) -> list[dict[str, Any]]:
        """Return what the list gives for a query; for none, its newest page."""
        answer = self._ask("GET", self.kind.path, **(query or {"order": "desc", "limit": 100}))
        must(status(answer))
        return list(answer.json())

    def fill(self, value: Any) -> Any:
        """Return a part of the table with names that no other resource has."""
        self._values.renew("name", "word")
        return self._values.fill(value)
