"""The contract marker: one promise, one test, one stable id."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from pytest_letta.errors import SettingsError
from pytest_letta.options import LEVELS
from pytest_letta.parsing import did_you_mean

MARKER = "letta_contract"
#: Needs that disturb every other user of the stack; such a contract runs alone.
DISRUPTIVE = frozenset({"restart", "kill", "pause", "reload", "partition", "recreate", "second"})


@dataclass(frozen=True, slots=True)
class Contract:
    """One promise. `id` carries the case of a parametrized test in brackets, as pytest writes it."""

    id: str
    level: str
    needs: tuple[str, ...]
    because: str
    title: str
    suite: str

    @property
    def is_about_the_file(self) -> bool:
        """Whether the promise is one of the compose file itself, judged before anything is started."""
        return bool(self.needs) and all(need.startswith("compose_") for need in self.needs)

    @property
    def is_disruptive(self) -> bool:
        return not DISRUPTIVE.isdisjoint(self.needs)


def contract(id: str, *, level: str = "must", needs: Sequence[str] = (), because: str = "") -> pytest.MarkDecorator:
    """Mark a test as a contract.

    `id` is stable and unique, such as ``REST-AGENTS-003``; `level` is must, should or may (RFC 2119);
    `needs` are names of capabilities; `because` is the public reason why the promise matters. The first
    paragraph of the test's docstring is the promise. Raises SettingsError for a bad id or level.
    """
    if not re.fullmatch(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)+", id):
        raise SettingsError(f"a contract's id is written like REST-AGENTS-003, got {id!r}.")
    if level not in LEVELS:
        raise SettingsError(f"contract {id}: level must be one of {', '.join(LEVELS)}{did_you_mean(level, LEVELS)}")
    return pytest.mark.letta_contract(id, level=level, needs=tuple(needs), because=because)


def contract_of(item: pytest.Item) -> Contract | None:
    """Return the contract that a collected test states, or ``None``."""
    mark = item.get_closest_marker(MARKER)
    if mark is None:
        return None
    case = item.name[item.name.index("[") :] if "[" in item.name else ""
    doc = getattr(getattr(item, "obj", None), "__doc__", None) or item.name
    return Contract(
        id=mark.args[0] + case,
        level=mark.kwargs.get("level", "must"),
        needs=tuple(mark.kwargs.get("needs", ())),
        because=mark.kwargs.get("because", ""),
        title=" ".join(doc.strip().split("\n\n")[0].split()),
        suite=item.path.parent.name,
    )
