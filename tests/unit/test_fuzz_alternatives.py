"""Each documented alternative of a field, one at a time."""

from __future__ import annotations

from typing import Any

from pytest_letta.conformance.fuzz.alternatives import alternatives
from pytest_letta.conformance.fuzz.samples import Samples
from pytest_letta.conformance.fuzz.scope import targets
from pytest_letta.spec import Spec

TEXT = {"type": "string"}


def part(kind: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(fields),
        "properties": {"type": {"const": kind, "default": kind}, **fields},
    }


PARTS = {"type": "array", "items": {"oneOf": [part("text", text=TEXT), part("image", url=TEXT)]}}
MESSAGE = {
    "type": "object",
    "required": ["role", "content"],
    "properties": {"role": {"enum": ["user"]}, "content": {"anyOf": [PARTS, TEXT]}},
}


def values(properties: dict[str, Any], many: int = 9) -> list[tuple[str, Any]]:
    content = {"application/json": {"schema": {"type": "object", "properties": properties}}}
    spec = Spec.from_openapi(
        {"openapi": "3.1.0", "paths": {"/v1/tags/": {"post": {"requestBody": {"content": content}}}}}
    )
    (target,) = targets(spec, "tags", reads_only=False, with_model=True)
    return [(place.label, value) for place, value in alternatives(target, Samples(spec.document, {}), many)]


def test_each_alternative_is_reached_at_any_depth() -> None:
    found = values({"messages": {"type": "array", "items": MESSAGE}, "name": TEXT})

    assert found == [
        ("messages", [{"role": "user", "content": [{"type": "text", "text": "x"}]}]),
        ("messages", [{"role": "user", "content": [{"type": "image", "url": "x"}]}]),
        ("messages", [{"role": "user", "content": "x"}]),
    ]


def test_a_field_of_one_form_has_no_alternatives() -> None:
    assert values({"name": TEXT, "metadata": {"type": "object"}, "tags": {"type": "array", "items": TEXT}}) == []


def test_few_of_many_are_taken_from_the_first_to_the_last() -> None:
    kinds = [part(str(number)) for number in range(9)]
    found = values({"rule": {"anyOf": kinds}}, many=3)

    assert [value["type"] for _, value in found] == ["0", "4", "8"]
