"""Answers of success are held against the documented shape, and against ours where the document says too little."""

from __future__ import annotations

import pytest

from pytest_letta.conformance.shapes import Shapes, shapes_of
from pytest_letta.exchange import Exchange
from pytest_letta.spec import Spec

_ITEM = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
_DOCUMENT = {
    "openapi": "3.1.0",
    "components": {"schemas": {"Item": _ITEM}},
    "paths": {
        "/v1/items/": {
            "get": {
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {
                                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}
                            }
                        }
                    }
                }
            }
        },
        "/v1/items/count": {"get": {"responses": {"200": {"content": {"application/json": {"schema": {}}}}}}},
    },
}
_LIST, _COUNT = "GET /v1/items/", "GET /v1/items/count"


def _answer(body: bytes, status: int = 200, kind: str = "application/json") -> Exchange:
    headers = (("Content-Type", kind),)
    size = len(body)
    return Exchange("GET", "x", status=status, body=body, body_size=size, response_headers=headers, is_complete=True)


@pytest.fixture
def shapes() -> Shapes:
    return Shapes(Spec.from_openapi(_DOCUMENT), {_COUNT: {"type": "integer"}})


def _told(shapes: Shapes) -> list[str]:
    return [f"{one.operation}: {one.cause}" for one in shapes.found]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'[{"id": "a"}]', []),
        (b"{}", ['the body: it is not of type "array"']),
        (b'[{"id": "a"}, {}]', ['*: "id" is a required property']),
        (b'[{"id": 1}]', ['*.id: it is not of type "string"']),
        (b"[", ["it is no JSON"]),
    ],
)
def test_answer_is_held_against_the_document(shapes: Shapes, body: bytes, told: list[str]) -> None:
    shapes.look(_LIST, _answer(body))

    assert _told(shapes) == [f"{_LIST}: {one}" for one in told]


def test_answer_is_held_against_our_shape_where_the_document_says_nothing(shapes: Shapes) -> None:
    shapes.look(_COUNT, _answer(b'"3"'))

    assert _told(shapes) == [f'{_COUNT}: the body: it is not of type "integer"']


def test_one_difference_is_told_once(shapes: Shapes) -> None:
    for number in range(3):
        shapes.look(_LIST, _answer(f'[{{"id": {number}}}]'.encode()))

    assert len(shapes.found) == 1


def test_refusals_streams_and_parts_are_not_looked_at(shapes: Shapes) -> None:
    shapes.look(_LIST, _answer(b"{}", status=404))
    shapes.look(_LIST, _answer(b"data: {}", kind="text/event-stream; charset=utf-8"))
    shapes.look(_LIST, Exchange("GET", "x", status=200, body=b"{", body_size=100, is_complete=True))

    assert not shapes.found
    assert not shapes.has_seen


def test_shipped_shapes_are_schemas_of_operations() -> None:
    shapes = shapes_of(Spec.from_openapi({"openapi": "3.1.0", "paths": {"/v1/tools/": {"post": {}}}}))

    shapes.look("POST /v1/tools/", _answer(b'{"id": "tool-1"}'))

    assert [one.cause for one in shapes.found][:1] == ['the body: "name" is a required property']
