"""What is wrong with an answer to bad input, and what two errors have in common."""

from __future__ import annotations

import json

import pytest

from pytest_letta.conformance.fuzz.answers import problem, shape, unnamed

AGENT = "agent-11111111-2222-4333-8444-555555555555"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"detail": f"No {AGENT}."}, {"detail": f"No {AGENT.replace('1', '9')}."}),
        ({"detail": "Line 5 of 17"}, {"detail": "Line 6 of 1"}),
        ({"detail": "Name 'a\0b' is bad"}, {"detail": "Name '' is bad"}),
        ({"error": {"message": "no"}}, {"detail": {"message": "yes"}}),
    ],
)
def test_errors_that_differ_in_ids_numbers_or_quoted_words_have_one_shape(one: object, other: object) -> None:
    assert shape(json.dumps(one)) == shape(json.dumps(other))


@pytest.mark.parametrize("text", ["", "<h1>Bad\nGateway</h1>", "x" * 5000, "[" * 100_000, '"text"', "[1]", "null"])
def test_any_text_has_a_short_shape_of_one_line(text: str) -> None:
    assert len(shape(text)) < 80
    assert "\n" not in shape(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"detail": "Traceback (most recent call last): boom"}', "a stack trace"),
        ('{"detail": "at File \\"/app/x.py\\", line 5"}', "a stack trace"),
        ('{"detail": "(x) [SQL: SELECT 1]"}', "SQL"),
        ('{"detail": "INSERT INTO agents VALUES"}', "SQL"),
        ('{"detail": "in /app/letta/server/server.py"}', "a path of its sources"),
        ('{"detail": "asyncpg.exceptions"}', "names of its database driver"),
    ],
)
def test_the_inside_of_the_server_is_seen_in_errors_alone(text: str, what: str) -> None:
    assert problem(409, text) == f"409 with {what} in the body"
    assert problem(200, text) is None


def test_server_errors_are_problems_and_refusals_are_not() -> None:
    assert problem(500, '{"detail": "An unknown error occurred"}') == "500 An unknown error occurred"
    assert problem(422, '{"detail": "name: Input should be a valid string, update it or select another"}') is None
    assert problem(501, '{"detail": "no traces here"}') is None


def test_a_refusal_names_the_field() -> None:
    assert unnamed(422, "{'loc': ('body', 'Name')}", "name") is None
    assert unnamed(400, "bad request", "name") == "400 that does not name the field"
    assert unnamed(404, "not found", "name") is None
