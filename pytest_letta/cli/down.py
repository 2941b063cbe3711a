"""End stacks: the only one that there is, those that are named, or all; never those of test runs by accident."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_letta.errors import SettingsError, StackError

if TYPE_CHECKING:
    from pytest_letta.stack.roster import Found

NAME = "down"
SUMMARY = "end stacks: processes, containers, volumes, folders"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `run` reads."""
    parser.add_argument(
        "id",
        nargs="*",
        metavar="ID",
        help="Stack to end: its id, the beginning of one, or its folder. Default: the only one there is.",
    )
    parser.add_argument("--all", action="store_true", help="End all stacks but those of test runs. Default: no.")
    parser.add_argument(
        "--force", action="store_true", help="End the named stack although a test run relies on it. Default: no."
    )


def run(arguments: argparse.Namespace) -> int:
    """End what the arguments name; return the exit code."""
    from pytest_letta.stack import roster

    found = roster.find()
    chosen = choose(found, arguments.id, every=arguments.all, force=arguments.force)
    if not chosen:
        print("letta: there is no stack to end.", file=sys.stderr)
    failures = 0
    for one in chosen:
        try:
            roster.end(one)
        except StackError as error:
            print(f"pytest-letta: {error}", file=sys.stderr)
            failures += 1
        else:
            print(f"ended {one.id}", flush=True)
    return 1 if failures else 0


def choose(found: Sequence[Found], names: Sequence[str], *, every: bool, force: bool) -> list[Found]:
    """Return the stacks to end; raise SettingsError when the arguments do not say which."""
    if every and names:
        raise SettingsError("--all and ID exclude each other: name the stacks, or end all.")
    if force and not names:
        raise SettingsError("--force needs the ID of the stack: no test run loses its stack unless it is named.")
    if names:
        return list({one.id: one for name in names for one in [_allowed(_named(found, name), force=force)]}.values())
    free = [one for one in found if not one.belongs_to_run]
    if every or len(free) <= 1:
        return free
    lines = "\n".join(f"  {one.id}  {one.state}  {one.description.url if one.description else ''}" for one in free)
    raise SettingsError(f"there are {len(free)} stacks: name the ID of one, or give --all.\n{lines}")


def _named(found: Sequence[Found], name: str) -> Found:
    from pytest_letta.stack import roster

    exact = [one for one in found if one.id == name]
    matching = exact or [one for one in found if name and one.id.startswith(name)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise SettingsError(f"{name!r} begins several ids: {_ids(matching)}.")
    if "/" in name:
        there = roster.find_in(Path(name))
        if there is not None:
            return there
        raise SettingsError(f"{name} is not the folder of a stack.")
    there_are = f"there are {_ids(found)}" if found else "there is none"
    raise SettingsError(f"no stack is called {name!r}; {there_are} (`pytest-letta ps`).")


def _allowed(one: Found, *, force: bool) -> Found:
    if one.belongs_to_run and not force:
        raise SettingsError(
            f"{one.id} belongs to a test run ({one.state}) and is left alone: give --force {one.id} to end it."
        )
    return one


def _ids(stacks: Sequence[Found]) -> str:
    return ", ".join(one.id for one in stacks)
