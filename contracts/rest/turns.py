"""A turn of an agent, and how what happened in it is looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_letta import must, not_applicable
from pytest_letta.conformance.checks import status

if TYPE_CHECKING:
    from .asking import Ask

Turn = dict[str, Any]


def run_of(turn: Turn) -> str:
    """Return the id of the run of a turn, which servers of before 0.12 do not tell."""
    return _told(turn, "run_id")


def step_of(turn: Turn) -> str:
    """Return the id of the first step of a turn."""
    return _told(turn, "step_id")


def got(ask: Ask, path: str, **query: Any) -> Any:
    """Return what a path gives."""
    answer = ask("GET", path, **query)
    must(status(answer))
    return answer.json()


def _told(turn: Turn, field: str) -> str:
    if not turn["messages"][0].get(field):
        not_applicable(f"the messages of a turn carry no {field} here: later versions of Letta write it")
    return str(turn["messages"][0][field])
