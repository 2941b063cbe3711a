"""Show the stacks of this user, kept, held or of a test run, and whether their servers answer as they should."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_letta.stack.roster import Found

NAME = "ps"
SUMMARY = "show the stacks that there are"

_HEADINGS = ("ID", "STACK", "LETTA", "STATE", "HEALTH", "AGE", "ADDRESS")
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))
_ASKED_AT_ONCE = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `run` reads."""
    parser.add_argument("--json", action="store_true", help="Print a JSON array of objects instead of a table.")
    parser.epilog = (
        "States: kept (goes on by itself), held (by a `pytest-letta up`), test run and starting (left alone by "
        "`pytest-letta down`), stale (its owner was killed or nothing of it runs; `pytest-letta down` clears up)."
    )


def run(arguments: argparse.Namespace) -> int:
    """Print what there is; return the exit code."""
    from pytest_letta.stack import roster

    stacks = roster.find()
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        problems = list(pool.map(roster.problem_of, stacks))
    if arguments.json:
        print(json.dumps([_as_dict(*one) for one in zip(stacks, problems, strict=True)]))
    elif stacks:
        print(table(stacks, problems, datetime.now(UTC)))
    else:
        print("letta: there is no stack; `pytest-letta up` starts one.", file=sys.stderr)
    return 0


def table(stacks: Sequence[Found], problems: Sequence[str | None], now: datetime) -> str:
    """Return the table for people, each problem below its row."""
    rows = [_HEADINGS, *(_row(one, problem, now) for one, problem in zip(stacks, problems, strict=True))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    told = [
        f"\n  {problem}" if problem and one.description else "" for one, problem in zip(stacks, problems, strict=True)
    ]
    return "\n".join(line + below for line, below in zip(lines, ["", *told], strict=True))


def age(started_at: str, now: datetime) -> str:
    """Return how long ago that was, in its largest unit."""
    seconds = int((now - datetime.fromisoformat(started_at)).total_seconds())
    for name, length in _UNITS:
        if seconds >= length:
            return f"{seconds // length} {name}"
    return f"{max(seconds, 0)} s"


def _row(one: Found, problem: str | None, now: datetime) -> tuple[str, ...]:
    told = one.description
    if told is None:
        return (one.id, "-", "-", one.state, "-", "-", "-")
    health = "healthy" if problem is None else "not healthy"
    return (one.id, told.provider, told.version or "-", one.state, health, age(told.started_at, now), told.url)


def _as_dict(one: Found, problem: str | None) -> dict[str, Any]:
    told: dict[str, Any] = one.description.as_dict() if one.description else {"id": one.id}
    folder = str(one.folder) if one.folder else None
    return {**told, "folder": folder, "state": one.state, "healthy": problem is None, "problem": problem}
