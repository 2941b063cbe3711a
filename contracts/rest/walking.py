"""Walks through a list by pages while items come and go, as a Hypothesis state machine."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from pytest_letta import must
from pytest_letta.conformance.checks import equal, no_repeats, same_sequence, status

if TYPE_CHECKING:
    from collections.abc import Callable

    from .asking import Ask
    from .shelves import Kind, Shelf

_LIMITS = st.integers(1, 4)


@dataclass
class _Walk:
    """A walk under way: what it gave, and what was in the list all the time, which it must give."""

    is_newest_first: bool
    due: set[str]
    given: list[str] = field(default_factory=list)


class WalkingMachine(RuleBasedStateMachine):
    """One sequence on a list of its own: pages are turned, with a new limit each, and items are added and deleted.

    At last it is walked whole from either end. `fill` makes a list of so many items. The item at which a walk stands
    is not deleted: REST-PAGES-004.
    """

    def __init__(self, ask: Ask, kind: Kind, fill: Callable[[int], Shelf]) -> None:
        super().__init__()
        self._ask = ask
        self._kind = kind
        self._fill = fill
        self.walk: _Walk | None = None

    @initialize(many=st.integers(0, 5))
    def filled(self, many: int) -> None:
        self._shelf = self._fill(many)
        self._made = list(self._shelf.ids)
        self._there = list(self._made)

    def teardown(self) -> None:
        if sys.exc_info()[0] is None:
            self._end_walk()
            for is_newest_first in (False, True):
                self.begin(is_newest_first)
                self._end_walk()

    def _end_walk(self) -> None:
        while self.walk is not None:
            self._turn(limit=2)

    @rule()
    def add(self) -> None:
        assert self._shelf.add is not None
        self._made.append(self._shelf.add())
        self._there.append(self._made[-1])

    @precondition(lambda self: self._there)
    @rule(which=st.integers(0, 9))
    def delete(self, which: int) -> None:
        gone = self._there[which % len(self._there)]
        if self.walk is not None:
            if self.walk.given[-1:] == [gone]:
                return
            self.walk.due.discard(gone)
        self._there.remove(gone)
        must(status(self._ask("DELETE", f"{self._shelf.path.rstrip('/')}/{gone}"), 200, 202, 204))

    @precondition(lambda self: self.walk is None)
    @rule(is_newest_first=st.booleans())
    def begin(self, is_newest_first: bool) -> None:
        self.walk = _Walk(is_newest_first, set(self._there))

    @precondition(lambda self: self.walk is not None)
    @rule(limit=_LIMITS)
    def turn(self, limit: int) -> None:
        self._turn(limit)

    def _turn(self, limit: int) -> None:
        assert self.walk is not None
        walk = self.walk
        cursor = self._kind.cursor(walk.is_newest_first, walk.given[-1]) if walk.given else {}
        direction = self._kind.directions[walk.is_newest_first]
        answer = self._ask("GET", self._shelf.path, **self._shelf.query, **direction, **cursor, limit=limit)
        must(status(answer))
        page = [str(one["id"]) for one in answer.json()]
        must(f"a page of limit {limit} has {len(page)} items" if len(page) > limit else None)
        walk.given += page
        must(no_repeats(walk.given, "the walk"))
        order = sorted(walk.given, key=self._made.index, reverse=walk.is_newest_first)
        must(same_sequence(order, walk.given, "the walk"))
        if not page:
            must(equal([], sorted(walk.due - {*walk.given}), "items that were there all the time and were not given"))
            self.walk = None
