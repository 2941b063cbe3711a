"""How a bad value is brought to every field, and what breaks is narrowed down, on a server that is a function."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from contracts.rest.fuzzing import Effort, Prober
from contracts.rest.sending import Sent
from pytest_letta.conformance.fuzz.samples import Samples
from pytest_letta.conformance.fuzz.scope import Target, targets
from pytest_letta.conformance.fuzz.traps import Place
from pytest_letta.spec import Spec

NAMES = ["label", "value", "summary", "owner", "note"]
BODY = {"type": "object", "properties": {name: {"type": "string"} for name in NAMES}}

Answer = Callable[[dict[str, Any]], tuple[int, str, str | None]]


@dataclass
class Server:
    """Stands for a sender: answers the fields of each body."""

    answer: Answer
    samples: Samples
    bodies: list[dict[str, Any]] = field(default_factory=list)

    def plain(self, target: Target) -> Sent:
        return Sent(200, "", None, "", b"{}")

    again = send = lambda self, *_: Sent(200, "", None, "", b"{}")

    def newest(self) -> str:
        return "curl"

    def with_fields(self, target: Target, *, content: bytes = b"{}", kind: str = "", **_: Any) -> Sent:
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            return Sent(422, "no JSON", None, "", content)
        self.bodies.append(body)
        status, text, problem = self.answer(body if isinstance(body, dict) else {})
        return Sent(status, text, problem, json.dumps(body), content)


def found_by(answer: Answer, effort: Effort = Effort()) -> tuple[list[tuple[str, str]], Server]:  # noqa: B008
    content = {"application/json": {"schema": BODY}}
    spec = Spec.from_openapi(
        {"openapi": "3.1.0", "paths": {"/v1/tags/": {"post": {"requestBody": {"content": content}}}}}
    )
    (target,) = targets(spec, "tags", reads_only=False, with_model=True)
    server = Server(answer, Samples(spec.document, {}))
    found = Prober(server, effort).probe(target, [])  # type: ignore[arg-type]
    return [(one.cause, one.place) for one in found], server


def has_nul(value: object) -> bool:
    return isinstance(value, str) and "\0" in value


def test_what_breaks_is_narrowed_to_its_field() -> None:
    found, server = found_by(lambda body: (500, "", "500 Broken") if has_nul(body.get("owner")) else (200, "", None))

    assert found == [("NUL: 500 Broken", "owner")]
    assert {"owner": "a\0b"} in server.bodies


def test_a_field_that_is_refused_does_not_hide_the_others() -> None:
    def answer(body: dict[str, Any]) -> tuple[int, str, str | None]:
        if has_nul(body.get("label")):
            return 422, "label: no", None
        return (500, "", "500 Broken") if has_nul(body.get("note")) else (200, "", None)

    assert found_by(answer)[0] == [("NUL: 500 Broken", "note")]


def test_a_refusal_that_names_nothing_does_not_hide_the_others() -> None:
    def answer(body: dict[str, Any]) -> tuple[int, str, str | None]:
        if has_nul(body.get("label")):
            return 404, "Not found", None
        return (500, "", "500 Broken") if has_nul(body.get("note")) else (200, "", None)

    assert found_by(answer)[0] == [("NUL: 500 Broken", "note")]


def test_different_problems_of_one_value_are_told_each() -> None:
    def answer(body: dict[str, Any]) -> tuple[int, str, str | None]:
        if has_nul(body.get("label")):
            return 500, "", "500 Broken"
        return (502, "", "502 with SQL in the body") if has_nul(body.get("note")) else (200, "", None)

    assert found_by(answer)[0] == [("NUL: 500 Broken", "label"), ("NUL: 502 with SQL in the body", "note")]


def test_a_server_that_breaks_on_everything_ends_in_few_requests() -> None:
    found, server = found_by(lambda body: (500, "", "500 Broken") if body else (200, "", None))

    assert {cause.partition(":")[0] for cause, _ in found} >= {"NUL", "lone surrogate", "wrong type"}
    assert len(server.bodies) < 40


def test_a_wrong_type_that_is_refused_without_its_field_is_told() -> None:
    def answer(body: dict[str, Any]) -> tuple[int, str, str | None]:
        wrong = next((name for name, value in body.items() if not isinstance(value, str)), None)
        return (422, "bad request" if wrong == "value" else f"{wrong} is no text", None) if wrong else (200, "", None)

    assert found_by(answer)[0] == [("wrong type: 422 that does not name the field", "value")]


def test_places_of_one_field_are_told_by_their_path() -> None:
    assert Place("body", ("blocks", 0, "label"), "text").label == "blocks.0.label"
