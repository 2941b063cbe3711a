"""The check for unasked changes names every field that differs, lost and new ones included."""

from __future__ import annotations

import pytest

from pytest_letta.conformance.checks import unchanged


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ({"a": 1}, {"a": 1}, None),
        ({"a": 1, "at": 1}, {"a": 1, "at": 2}, None),
        ({"a": 1}, {"a": 2}, "the edit changed what was not asked for: a was 1, is 2"),
        ({"a": 1}, {}, "the edit changed what was not asked for: a was 1, is None"),
        ({}, {"b": 2, "a": 1}, "the edit changed what was not asked for: a was None, is 1; b was None, is 2"),
    ],
)
def test_each_change_that_was_not_asked_for_is_named(
    before: dict[str, int], after: dict[str, int], problem: str | None
) -> None:
    assert unchanged(before, after, "the edit", but=["at"]) == problem


def test_order_of_what_has_ids_is_no_change() -> None:
    one, two = {"id": "a", "name": "x"}, {"id": "b", "name": "y"}

    assert unchanged({"tools": [one, two]}, {"tools": [two, one]}, "it") is None
    assert unchanged({"tools": [one, two]}, {"tools": [two, two]}, "it") is not None
    assert unchanged({"tags": ["a", "b"]}, {"tags": ["b", "a"]}, "it") is not None
