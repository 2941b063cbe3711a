"""A spec knows its operations, and which of them a request is for."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_letta.spec import Operation, Spec

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"version": "0.16.8"},
    "paths": {
        "/v1/agents/": {"get": {}, "post": {}, "parameters": []},
        "/v1/agents/{agent_id}": {"get": {}, "summary": "x"},
        "/v1/agents/count": {"get": {}},
        "/v1/agents/{agent_id}/messages/{message_id}": {"patch": {"deprecated": True}},
        "/v1/agents/{agent_id}/messages/stream": {"post": {}},
        "/v1/tools/{name}.{kind}": {"get": {}},
    },
}


@pytest.fixture
def spec() -> Spec:
    return Spec.from_openapi(DOCUMENT)


def test_operations_have_keys_and_know_that_they_are_deprecated(spec: Spec) -> None:
    assert sorted(spec.operations) == [
        "GET /v1/agents/",
        "GET /v1/agents/count",
        "GET /v1/agents/{agent_id}",
        "GET /v1/tools/{name}.{kind}",
        "PATCH /v1/agents/{agent_id}/messages/{message_id}",
        "POST /v1/agents/",
        "POST /v1/agents/{agent_id}/messages/stream",
    ]
    patch = "PATCH /v1/agents/{agent_id}/messages/{message_id}"
    assert spec.operations[patch] == Operation("PATCH", patch.partition(" ")[2], is_deprecated=True)
    assert [key for key, operation in spec.operations.items() if operation.is_deprecated] == [patch]
    assert spec.version == "0.16.8"


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("GET", "/v1/agents/", "GET /v1/agents/"),
        ("get", "/v1/agents/?limit=1", "GET /v1/agents/"),
        ("GET", "/v1/agents/count", "GET /v1/agents/count"),
        ("GET", "/v1/agents/agent-1", "GET /v1/agents/{agent_id}"),
        ("GET", "/v1/agents/a%2Fb", "GET /v1/agents/{agent_id}"),
        ("POST", "/v1/agents/agent-1/messages/stream", "POST /v1/agents/{agent_id}/messages/stream"),
        ("PATCH", "/v1/agents/agent-1/messages/stream", "PATCH /v1/agents/{agent_id}/messages/{message_id}"),
        ("GET", "/v1/tools/a.b.c", "GET /v1/tools/{name}.{kind}"),
        ("GET", "/v1/tools/a", None),
        ("GET", "/v1/agents", None),
        ("DELETE", "/v1/agents/", None),
        ("GET", "/v1/agents/agent-1/", None),
        ("GET", "/", None),
        ("GET", "", None),
    ],
)
def test_request_is_for_the_most_literal_operation(spec: Spec, method: str, path: str, key: str | None) -> None:
    assert spec.operation_for(method, path) == key


def test_names_of_parameters_do_not_matter_for_having_an_operation(spec: Spec) -> None:
    assert spec.has("GET /v1/agents/{id}")
    assert not spec.has("PUT /v1/agents/{id}")
    assert not spec.has("GET /v1/agents/{id}/{other}")


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (None, "a JSON NoneType, not an object"),
        ([], "a JSON list, not an object"),
        ({}, "'openapi' must be a version 3, got None"),
        ({"swagger": "2.0", "paths": {"/": {"get": {}}}}, "'openapi' must be a version 3"),
        ({"openapi": "3.1.0"}, "it documents no paths"),
        ({"openapi": "3.1.0", "paths": []}, "it documents no paths"),
        ({"openapi": "3.1.0", "paths": {"/": None, "/a": {"x-get": {}}}}, "it documents no operations"),
    ],
)
def test_what_is_no_openapi_document_is_refused_with_its_reason(document: object, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Spec.from_openapi(document)


def test_odd_parts_of_a_document_are_passed_over() -> None:
    odd = {"openapi": "3.0.3", "info": [], "paths": {"/a": {"get": None, "put": {"deprecated": "yes"}}}}

    spec = Spec.from_openapi(odd)

    assert spec.version is None
    assert [operation.is_deprecated for operation in spec.operations.values()] == [False, False]


def test_operation_takes_the_names_of_its_query_and_of_its_body() -> None:
    text = {"properties": {"name": {}}}
    document = {
        "openapi": "3.1.0",
        "paths": {
            "/v1/tools/": {
                "get": {"parameters": [{"in": "query", "name": "limit"}]},
                "post": {
                    "requestBody": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tool"}}}
                    }
                },
            }
        },
        "components": {
            "schemas": {
                "Tool": {"anyOf": [{"properties": {"tags": {}}}, {"$ref": "#/components/schemas/Text"}]},
                "Text": text,
            }
        },
    }
    spec = Spec.from_openapi(document)

    assert spec.takes("GET", "/v1/tools/", "limit")
    assert not spec.takes("GET", "/v1/tools/", "limit", "order")
    assert spec.takes("POST", "/v1/tools/", "name", "tags")
    assert not spec.takes("POST", "/v1/tools/", "limit")
    assert not spec.takes("GET", "/v1/runs/", "limit")


def test_parameters_of_an_operation_are_those_of_its_path_too() -> None:
    path = {"get": {"parameters": [{"name": "limit", "in": "query"}]}, "parameters": [{"name": "id", "in": "path"}]}
    spec = Spec.from_openapi(
        {**DOCUMENT, "paths": {"/v1/things/{id}": path, "/v1/others": {"post": {"requestBody": {}}}}}
    )

    key = "GET /v1/things/{id}"
    assert [spec.takes("GET", "/v1/things/1", name) for name in ("limit", "id", "order")] == [True, True, False]
    assert (spec.has_body(key), spec.has_body("POST /v1/others")) == (False, True)
