"""What a body may hold in place of the usual: each alternative that the document gives for a field, one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pytest_letta.conformance.fuzz.samples import Samples, Schema
from pytest_letta.conformance.fuzz.scope import Target
from pytest_letta.conformance.fuzz.traps import Place

_DEEPEST = 5


def alternatives(target: Target, samples: Samples, many: int) -> Iterator[tuple[Place, Any]]:
    """Give the fields of a body that are documented as one of several objects, with up to `many` values of each.

    Of more than that the values are taken from all over: the first, the last, and between.
    """
    for name, schema in samples.properties(target.body or {}).items():
        found = [one for one in _values(samples, schema, 0) if isinstance(one, dict | list) and one]
        different = list({json.dumps(one): one for one in found}.values())
        if len(different) > 1:
            for value in _spread(different, many):
                yield Place("body", (name,), "any"), value


def _values(samples: Samples, schema: Schema, depth: int) -> Iterator[Any]:
    """Give a value of each alternative of a schema; where one has parts, of each alternative of each part."""
    for one in samples.variants(schema) if depth < _DEEPEST else ():
        if one.get("type") == "array":
            yield from ([value] for value in _values(samples, one.get("items", {}), depth + 1))
            continue
        least = samples.of(one, depth=1)
        yield least
        properties = samples.properties(one)
        for name in one.get("required", ()):
            for value in _values(samples, properties.get(name, {}), depth + 1):
                if value != least.get(name):
                    yield {**least, name: value}


def _spread(values: list[Any], many: int) -> list[Any]:
    if len(values) <= many:
        return values
    return [values[number * (len(values) - 1) // (many - 1)] for number in range(many)]
