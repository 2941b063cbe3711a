"""Finds the line of a YAML text on which something stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import yaml

#: What an item of a list has to be like: it gets text, or a mapping of texts.
Likeness = Callable[[Any], bool]


class Positions:
    """Lines of a YAML text by the keys that lead there, whatever its tags and merged keys.

    Raises yaml.YAMLError for a text that is none.
    """

    def __init__(self, text: str) -> None:
        self._root = yaml.compose(text, Loader=yaml.SafeLoader)

    def line(self, *keys: str | int | Likeness) -> int | None:
        """Return the line of the last of `keys` that is there; ``None`` when not even the second is.

        A word finds a key, an item of a list that is the word, or one such as ``WORD=value``. A function finds the
        first item of a list that is like that.
        """
        found = list(self._walk(keys))
        return found[-1] if len(found) >= min(2, len(keys)) else None

    def has(self, *keys: str | int | Likeness) -> bool:
        """Tell whether all of `keys` lead somewhere."""
        return len(list(self._walk(keys))) == len(keys)

    def value(self, *keys: str | int | Likeness) -> Any:
        """Return what stands there as text, list or mapping of these; ``None`` when nothing does."""
        node = self._root
        for key in keys:
            step = _step(node, key)
            if step is None:
                return None
            node = step[1]
        return None if node is None else _plain(node)

    def _walk(self, keys: tuple[str | int | Likeness, ...]) -> Iterator[int]:
        node = self._root
        for key in keys:
            step = _step(node, key)
            if step is None:
                return
            place, node = step
            yield place.start_mark.line + 1


def _step(node: yaml.Node | None, key: str | int | Likeness) -> tuple[yaml.Node, yaml.Node] | None:
    """Return the node that bears `key`, and the one that is its value."""
    if isinstance(node, yaml.MappingNode):
        return _entry(node, key)
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            if _is_like(item, number, key):
                return item, item
    return None


def _entry(node: yaml.MappingNode, key: str | int | Likeness) -> tuple[yaml.Node, yaml.Node] | None:
    merged: list[yaml.Node] = []
    for name, value in node.value:
        if isinstance(name, yaml.ScalarNode):
            if name.value == key:
                return name, value
            if name.value == "<<":
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
    steps = (_entry(one, key) for one in merged if isinstance(one, yaml.MappingNode))
    return next((step for step in steps if step is not None), None)


def _is_like(item: yaml.Node, number: int, key: str | int | Likeness) -> bool:
    if isinstance(key, int):
        return number == key
    if isinstance(key, str):
        return isinstance(item, yaml.ScalarNode) and item.value.partition("=")[0] == key
    return key(_plain(item))


def _plain(node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return {str(name.value): _plain(value) for name, value in node.value}
    return node.value
