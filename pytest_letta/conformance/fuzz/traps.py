"""What is put into requests to break a server: values by their kind, and the places of a request that take them."""

from __future__ import annotations

import copy
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pytest_letta.conformance.fuzz.samples import Samples, Schema
from pytest_letta.conformance.fuzz.scope import Target

_MEGABYTE = 2**20


def _nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@dataclass(frozen=True)
class Trap:
    """A value that is documented and hostile.

    `kind` is that of the places it fits; `is_large`: for one at a time. An operation that breaks on the trap that it
    `goes_beyond` is not asked again.
    """

    name: str
    kind: str
    value: Any = field(repr=False)
    where: tuple[str, ...] = ("body", "query")
    is_large: bool = False
    goes_beyond: str = ""


TRAPS: Final = (
    Trap("NUL", "text", "a\0b"),
    Trap("lone surrogate", "text", "a\ud83db", where=("body",)),
    Trap("bytes that are no UTF-8", "text", b"a\xff\xfeb", where=("query",)),
    Trap("text of 1 MB", "text", "word " * (_MEGABYTE // 5), where=("body",), is_large=True),
    Trap("text of 8 KB", "text", "x" * 8000, where=("query",), is_large=True),
    Trap("negative number", "integer", -1),
    Trap("number over 32 bits", "integer", 2**31),
    Trap("number over 64 bits", "integer", 2**64, goes_beyond="number over 32 bits"),
    Trap("number over 64 bits", "any", 2**64, where=("body",)),
    Trap("object 300 deep", "any", _nested(300), where=("body",)),
)

#: In place of an id: nothing that is one.
IN_PATHS: Final = {"text that is no id": "no-id", "NUL": "a%00b", "bytes that are no UTF-8": "a%ff%feb"}


@dataclass(frozen=True)
class Place:
    """Where in a request a value goes: `path` begins with the name of a field or parameter.

    `template` is the whole value of that field in which the place is, when it is not the field itself.
    """

    where: str
    path: tuple[str | int, ...]
    kind: str
    template: Any = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """What a refusal has to name."""
        return str([word for word in self.path if isinstance(word, str)][-1])

    @property
    def label(self) -> str:
        return ".".join(map(str, self.path))

    @property
    def field(self) -> str:
        return str(self.path[0])


def places(target: Target, samples: Samples) -> list[Place]:
    """Return the places of an operation's query and JSON body that take free text, whole numbers, or anything."""
    found: list[Place] = []
    for parameter in target.parameters:
        if parameter["in"] == "query":
            found += _in_field(samples, parameter.get("schema", {}), "query", parameter["name"])
    for name, schema in samples.properties(target.body or {}).items():
        found += _in_field(samples, schema, "body", name)
    return list(dict.fromkeys(found))


def _in_field(samples: Samples, schema: Schema, where: str, name: str) -> Iterator[Place]:
    for one in samples.variants(schema):
        if kind := _kind(one):
            yield Place(where, (name,), kind)
        elif one.get("type") == "array":
            item = samples.resolved(one.get("items", {}))
            if kind := _kind(item):
                yield Place(where, (name, 0), kind, [None])
            elif where == "body":
                yield from _in_object(samples, item, (name, 0), [samples.fields(item, 1)])
        elif where == "body" and one.get("type") == "object":
            yield from _in_object(samples, one, (name,), samples.fields(one, 1))


def _in_object(samples: Samples, schema: Schema, path: tuple[str | int, ...], template: Any) -> Iterator[Place]:
    properties = samples.properties(schema)
    if not properties and schema.get("additionalProperties") is not False:
        # An object of any form: text and numbers go anywhere in it.
        yield Place("body", (*path, "a"), "text", template)
        yield Place("body", (*path, "a"), "any", template)
    for name, one in properties.items():
        if kind := _kind(samples.resolved(one)):
            yield Place("body", (*path, name), kind, template)


def _kind(schema: Schema) -> str | None:
    """Tell what a schema takes freely; what has a form of its own is refused by that, and shows nothing else."""
    if {"enum", "const", "pattern", "format"} & set(schema):
        return None
    return {"string": "text", "integer": "integer"}.get(schema.get("type", ""))


def with_trap(fields: Mapping[str, Any], trapped: Sequence[Place], value: Any) -> dict[str, Any]:
    """Return the fields of a request with `value` in each of the places."""
    filled = copy.deepcopy(dict(fields))
    for place in trapped:
        if len(place.path) == 1:
            filled[place.field] = value
            continue
        if not isinstance(filled.get(place.field), dict | list) or not filled[place.field]:
            filled[place.field] = copy.deepcopy(place.template)
        inner = filled[place.field]
        for word in place.path[1:-1]:
            inner = inner[word]
        inner[place.path[-1]] = value
    return filled


def wrong_types(target: Target, samples: Samples) -> Iterator[tuple[Place, Any]]:
    """Give the fields and parameters of an operation, each with a value that is not of its type."""
    for parameter in target.parameters:
        types = {one.get("type") for one in samples.variants(parameter.get("schema", {}))}
        if parameter["in"] == "query" and types and types <= {"integer", "number", "boolean"}:
            yield Place("query", (parameter["name"],), "wrong"), "x"
    for name, schema in samples.properties(target.body or {}).items():
        types = {one.get("type") for one in samples.variants(schema)}
        # An object is in place of nothing but an object; a number is in place of neither an object nor a list.
        if None not in types and types:
            yield Place("body", (name,), "wrong"), 5 if types & {"object"} else {"a": 1}


def broken_bodies(body: Mapping[str, Any]) -> dict[str, tuple[bytes, str]]:
    """Return bodies that are no JSON object, or not said to be one, with their type, made of one that is."""
    good = json.dumps(body)
    first = next(iter(body), "name")
    twice = f'{{{json.dumps(first)}: {{"a": 1}}, {good[1:]}' if body else f'{{"{first}": 1, "{first}": {{}}}}'
    return {
        "empty body": (b"", "application/json"),
        "body that is cut": (good[: max(len(good) // 2, 1)].encode(), "application/json"),
        "body of another type": (good.encode(), "text/plain"),
        "body with a key twice": (twice.encode(), "application/json"),
        "body 50,000 deep": (b"[" * 50_000 + b"]" * 50_000, "application/json"),
    }


def chosen(key: str, names: Sequence[str], many: int) -> list[str]:
    """Return some of the names, the same for the same operation and others for others, so that all get their turn."""
    first = zlib.crc32(key.encode())
    return [names[(first + number) % len(names)] for number in range(min(many, len(names)))]
