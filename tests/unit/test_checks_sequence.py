"""The check of sequences names what is wrong first: lost, foreign, repeated or moved."""

from __future__ import annotations

import pytest

from pytest_letta.conformance.checks import same_sequence


@pytest.mark.parametrize(
    ("expected", "actual", "problem"),
    [
        ([], [], None),
        (["a", "b"], ["a", "b"], None),
        (["a", "b"], ["a"], "history: 1 missing ['b'], 0 unexpected []"),
        (["a"], ["a", "c"], "history: 0 missing [], 1 unexpected ['c']"),
        (["a", "b"], ["a", "b", "b"], "history repeats b"),
        (["a", "a"], ["a"], "history: 1 in place of 2"),
        (["a", "b", "c"], ["a", "c", "b"], "history: out of order, at position 1 c in place of b"),
    ],
)
def test_sequence_is_judged_by_content_repeats_and_order(
    expected: list[str], actual: list[str], problem: str | None
) -> None:
    assert same_sequence(expected, actual, "history") == problem
