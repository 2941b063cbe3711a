"""Requests against the schema: the same for the same seed, and never with headers, which say who we are."""

from __future__ import annotations

import pytest

pytest.importorskip("schemathesis")

from pytest_letta.conformance.fuzz.generated import Generated, Generator
from pytest_letta.conformance.fuzz.scope import targets
from pytest_letta.spec import Spec

BODY = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
SPEC = Spec.from_openapi(
    {
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "paths": {
            "/v1/tags/": {
                "get": {"parameters": [{"in": "query", "name": "limit", "schema": {"type": "integer"}}]},
                "post": {
                    "parameters": [{"in": "header", "name": "user_id", "schema": {"type": "string"}}],
                    "requestBody": {"required": True, "content": {"application/json": {"schema": BODY}}},
                },
            },
            "/v1/tags/{id}": {
                "get": {"parameters": [{"in": "path", "name": "id", "required": True, "schema": {"type": "string"}}]}
            },
        },
    }
)


def generated(request: pytest.FixtureRequest) -> dict[str, list[Generated]]:
    return Generator(request.node).requests(
        SPEC.document, list(targets(SPEC, "tags", reads_only=False, with_model=True))
    )


def test_requests_are_the_same_in_every_run(request: pytest.FixtureRequest) -> None:
    assert generated(request) == generated(request)


def test_only_queries_and_bodies_are_generated(request: pytest.FixtureRequest) -> None:
    found = generated(request)

    assert set(found) == {"GET /v1/tags/", "POST /v1/tags/"}
    assert all(one.body is None for one in found["GET /v1/tags/"])
    assert any(one.query for one in found["GET /v1/tags/"])
    assert any(one.body for one in found["POST /v1/tags/"])
