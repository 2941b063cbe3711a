"""Shapes: what the server documents of its answers is so; judged last, of the answers to all contracts before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, not_applicable

if TYPE_CHECKING:
    from pytest_letta.conformance.findings import Judgement
    from pytest_letta.conformance.shapes import Shapes


@contract(
    "REST-SHAPE-001",
    level="should",
    because="clients are generated from the document: where it is wrong, they drop fields or fail",
)
def test_answers_are_of_the_documented_shape(letta_findings: Judgement, letta_shapes: Shapes | None) -> None:
    """The answers of success that the contracts before this one got are of the shape that the server documents."""
    if letta_shapes is None or not letta_shapes.has_seen:
        not_applicable("no contract was judged before this one, or the package jsonschema-rs is missing")

    # Which of them were seen is a matter of what ran before.
    letta_findings.must_be_none(letta_shapes.found, tried=())
