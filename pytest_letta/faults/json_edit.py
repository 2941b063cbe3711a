"""Edits of JSON documents at a path such as ``detail``, ``0.id`` or ``*.name``; no input and output here.

A path is keys and list positions joined by dots; ``*`` stands for every key or position, "" for the document
itself. A path that leads nowhere changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

Edit = Callable[[Any], None]


def edited(body: bytes, edit: Edit) -> bytes | None:
    """Apply the edit to a JSON body; None means that it is no JSON, or that the edit changed nothing."""
    try:
        document = json.loads(body)
        before = json.dumps(document)
        edit(document)
        after = json.dumps(document)
    except (ValueError, RecursionError):
        return None
    return None if before == after else after.encode()


def find(document: Any, path: str) -> list[Any]:
    """Give every value that the path leads to."""
    found = [document]
    for step in path.split(".") if path else ():
        found = [value[key] for value in found for key in _keys(value, step)]
    return found


def rename(path: str, to: str) -> Edit:
    """Make an edit that renames the object key at the end of the path, in its place."""

    def edit(document: Any) -> None:
        for parent, key in _places(document, path):
            if isinstance(parent, dict):
                pairs = [(to if name == key else name, value) for name, value in parent.items()]
                parent.clear()
                parent.update(pairs)

    return edit


def drop(path: str) -> Edit:
    """Make an edit that takes out the object key or the list item at the end of the path."""

    def edit(document: Any) -> None:
        for parent, key in reversed(list(_places(document, path))):
            del parent[key]

    return edit


def put(path: str, value: Any) -> Edit:
    """Make an edit that sets the value at the end of the path; a missing object key is added."""

    def edit(document: Any) -> None:
        parents, _, last = path.rpartition(".")
        for parent in find(document, parents):
            if isinstance(parent, dict) and last != "*":
                parent[last] = value
        for parent, key in _places(document, path):
            parent[key] = value

    return edit


def on_texts(path: str, change: Callable[[str], str]) -> Edit:
    """Make an edit that replaces every text that the path leads to by what the function makes of it."""

    def edit(document: Any) -> None:
        for parent, key in _places(document, path):
            if isinstance(parent[key], str):
                parent[key] = change(parent[key])

    return edit


def on_lists(path: str, change: Callable[[list[Any]], None]) -> Edit:
    """Make an edit that changes, in place, every list that the path leads to."""

    def edit(document: Any) -> None:
        for value in find(document, path):
            if isinstance(value, list):
                change(value)

    return edit


def _places(document: Any, path: str) -> Iterator[tuple[Any, Any]]:
    parents, _, last = path.rpartition(".")
    for parent in find(document, parents):
        for key in _keys(parent, last):
            yield parent, key


def _keys(value: Any, step: str) -> list[Any]:
    if isinstance(value, dict):
        return list(value) if step == "*" else [step] * (step in value)
    if isinstance(value, list):
        if step == "*":
            return list(range(len(value)))
        return [int(step)] if step.isdecimal() and int(step) < len(value) else []
    return []
