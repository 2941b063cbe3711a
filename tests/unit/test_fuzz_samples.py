"""The least that a schema takes."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_letta.conformance.fuzz.samples import Samples

DOCUMENT = {
    "components": {
        "schemas": {
            "Node": {
                "type": "object",
                "required": ["next"],
                "properties": {"next": {"$ref": "#/components/schemas/Node"}},
            },
            "Self": {"anyOf": [{"$ref": "#/components/schemas/Self"}]},
            "Kind": {"enum": ["a", "b"]},
        }
    }
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "x"),
        ({"type": "string", "minLength": 3}, "xxx"),
        ({"type": "string", "pattern": "^a-", "examples": ["a-1"]}, "a-1"),
        ({"type": "string", "format": "date-time"}, "2026-01-02T03:04:05Z"),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "boolean"}, False),
        ({"type": "boolean", "default": True}, True),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 1),
        ({"const": "llm"}, "llm"),
        ({"$ref": "#/components/schemas/Kind"}, "a"),
        ({"type": "array", "items": {"type": "string"}}, ["x"]),
        ({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}, "b": {}}}, {"a": "x"}),
        ({"type": "null"}, None),
        ({}, {}),
    ],
)
def test_a_value_is_the_least_that_the_schema_takes(schema: dict[str, Any], value: object) -> None:
    assert Samples(DOCUMENT, {}).of(schema) == value


@pytest.mark.parametrize("name", ["Node", "Self"])
def test_a_schema_that_holds_itself_comes_to_an_end(name: str) -> None:
    Samples(DOCUMENT, {}).of({"$ref": f"#/components/schemas/{name}"})


def test_known_fields_are_sent_whether_they_must_or_not_and_only_at_the_top() -> None:
    schema = {"properties": {"model": {"type": "string"}, "part": {"properties": {"model": {"type": "string"}}}}}

    assert Samples(DOCUMENT, {"model": "a/b"}).fields(schema) == {"model": "a/b"}
