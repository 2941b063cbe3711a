"""The report tells which operations were exercised, why others cannot be, and which answers nobody documents."""

from __future__ import annotations

from typing import Any

from pytest_letta.conformance.suites import unexercised_file
from pytest_letta.report.operations import read_reasons, told
from pytest_letta.spec import Spec

_DOCUMENTED = {"GET /a": False, "GET /b": False, "GET /old": True}


def _record(operations: list[str], undocumented: list[str]) -> Any:
    return {"operations": operations, "undocumented": undocumented, "misshapen": []}


def test_operation_is_exercised_by_whichever_contract() -> None:
    section = told(_DOCUMENTED, [_record(["GET /a"], []), _record(["GET /a", "GET /old"], [])], {})

    assert section["documented"] == 3
    assert section["exercised"] == 2
    assert section["unexercised"] == ["GET /b"]
    assert section["deprecated"] == ["GET /old"]


def test_reasons_are_told_of_what_was_not_exercised() -> None:
    reasons = {"GET /a": "Needs a key.", "GET /b": "Needs a key.", "GET /elsewhere": "Needs a key."}

    assert told(_DOCUMENTED, [_record(["GET /a"], [])], reasons)["reasons"] == {"GET /b": "Needs a key."}


def test_answers_that_are_not_documented_are_told_once_by_status() -> None:
    records = [_record([], ["404 GET /b", "400 GET /a"]), _record([], ["404 GET /b", "404 GET /a"])]

    assert told(_DOCUMENTED, records, {})["undocumented"] == {"400": ["GET /a"], "404": ["GET /a", "GET /b"]}


def test_each_listed_operation_has_one_reason() -> None:
    reasons = read_reasons(unexercised_file())

    assert len(reasons) == unexercised_file().read_text(encoding="utf-8").count("\n  - ")
    assert all(reason.endswith(".") for reason in reasons.values())


def test_documented_answers_are_those_of_the_status_its_range_or_all() -> None:
    answers = {"200": {}, "4XX": {}}
    paths = {"/a": {"get": {"responses": answers}, "post": {"responses": {"default": {}}}, "put": {}}}
    operations = Spec.from_openapi({"openapi": "3.1.0", "paths": paths}).operations

    assert [status for status in (200, 201, 404, 500) if operations["GET /a"].documents(status)] == [200, 404]
    assert operations["POST /a"].documents(500)
    assert not operations["PUT /a"].documents(200)
