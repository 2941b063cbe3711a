"""Where bad values go in a request, and what they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_letta.conformance.fuzz.samples import Samples
from pytest_letta.conformance.fuzz.scope import Target, area_of, targets, why_excluded
from pytest_letta.conformance.fuzz.traps import broken_bodies, chosen, places, with_trap, wrong_types
from pytest_letta.spec import Spec

TEXT = {"type": "string"}
BODY = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": TEXT,
        "limit": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "tags": {"type": "array", "items": TEXT},
        "kind": {"enum": ["a", "b"]},
        "id": {"type": "string", "pattern": "^x$"},
        "metadata": {"anyOf": [{"type": "object", "additionalProperties": True}, {"type": "null"}]},
        "blocks": {"type": "array", "items": {"$ref": "#/components/schemas/Block"}},
    },
}
BLOCK = {"type": "object", "required": ["label"], "properties": {"label": TEXT, "size": {"type": "integer"}}}
QUERY = [{"in": "query", "name": "after", "schema": {"anyOf": [TEXT, {"type": "null"}]}}]


def document(paths: dict[str, Any]) -> dict[str, Any]:
    return {"openapi": "3.1.0", "paths": paths, "components": {"schemas": {"Block": BLOCK}}}


def target() -> tuple[Target, Samples]:
    content = {"application/json": {"schema": BODY}}
    spec = Spec.from_openapi(
        document({"/v1/things/": {"post": {"parameters": QUERY, "requestBody": {"content": content}}}})
    )
    (found,) = targets(spec, "others", reads_only=False, with_model=True)
    return found, Samples(spec.document, {})


def test_places_are_those_that_take_free_text_whole_numbers_or_anything() -> None:
    found = [(one.where, one.path, one.kind) for one in places(*target())]

    assert found == [
        ("query", ("after",), "text"),
        ("body", ("name",), "text"),
        ("body", ("limit",), "integer"),
        ("body", ("tags", 0), "text"),
        ("body", ("metadata", "a"), "text"),
        ("body", ("metadata", "a"), "any"),
        ("body", ("blocks", 0, "label"), "text"),
        ("body", ("blocks", 0, "size"), "integer"),
    ]


def test_one_value_goes_into_many_places_and_the_request_stays_as_it_was() -> None:
    texts = [one for one in places(*target()) if one.where == "body" and one.kind == "text"]
    before = {"name": "x", "kind": "a"}

    assert with_trap(before, texts, "BAD") == {
        "name": "BAD",
        "kind": "a",
        "tags": ["BAD"],
        "metadata": {"a": "BAD"},
        "blocks": [{"label": "BAD"}],
    }
    assert before == {"name": "x", "kind": "a"}


def test_a_wrong_type_is_none_that_the_field_takes() -> None:
    assert {place.field: value for place, value in wrong_types(*target())} == {
        "name": {"a": 1},
        "limit": {"a": 1},
        "tags": {"a": 1},
        "id": {"a": 1},
        "metadata": 5,
        "blocks": {"a": 1},
    }


@pytest.mark.parametrize("body", [{}, {"name": "x"}])
def test_broken_bodies_are_no_object_or_are_said_to_be_something_else(body: dict[str, Any]) -> None:
    broken = broken_bodies(body)

    for name in ("empty body", "body that is cut", "body 50,000 deep"):
        with pytest.raises((ValueError, RecursionError)):
            json.loads(broken[name][0])
    assert broken["body of another type"] == (json.dumps(body).encode(), "text/plain")
    pairs = json.loads(broken["body with a key twice"][0], object_pairs_hook=list)
    assert [key for key, _ in pairs] == ["name", "name"]


def test_operations_take_turns_with_what_is_costly() -> None:
    names = ["a", "b", "c", "d", "e"]
    picked = [chosen(f"GET /v1/{number}", names, 2) for number in range(50)]

    assert {name for pair in picked for name in pair} == set(names)
    assert chosen("GET /v1/1", names, 2) == picked[1]
    assert chosen("GET /v1/1", names, 9) != []


@pytest.mark.parametrize(
    ("key", "is_excluded"),
    [
        ("DELETE /v1/admin/users/", True),
        ("DELETE /v1/things/", True),
        ("DELETE /v1/things/{thing_id}", False),
        ("POST /v1/tools/run", True),
        ("PUT /v1/tools/mcp/servers", True),
        ("GET /v1/mcp-servers/", False),
        ("PATCH /v1/providers/{provider_id}", True),
        ("GET /v1/providers/", False),
        ("POST /v1/agents/", False),
    ],
)
def test_what_could_harm_others_is_left_out_with_its_reason(key: str, is_excluded: bool) -> None:
    assert bool(why_excluded(key)) is is_excluded


def test_areas_are_the_first_word_and_the_rest_is_in_the_last() -> None:
    assert [area_of(path) for path in ("/v1/agents/{id}", "/v1/brand-new/", "/health")] == [
        "agents",
        "others",
        "others",
    ]


def test_models_are_asked_only_where_they_are_scripted() -> None:
    spec = Spec.from_openapi(document({"/v1/agents/{id}/messages": {"get": {}, "post": {}}}))

    found = targets(spec, "agents", reads_only=False, with_model=False)

    assert [one.key for one in found] == ["GET /v1/agents/{id}/messages"]


def test_only_reads_are_sent_where_nothing_may_be_changed_and_nothing_deprecated() -> None:
    spec = Spec.from_openapi(
        document({"/v1/tags/": {"get": {}, "post": {}}, "/v1/tags/old": {"get": {"deprecated": True}}})
    )

    assert [one.key for one in targets(spec, "tags", reads_only=True, with_model=True)] == ["GET /v1/tags/"]
