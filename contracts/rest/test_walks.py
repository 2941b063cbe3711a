"""Walks: whatever comes and goes meanwhile, the pages give what stays, once, and in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract

if TYPE_CHECKING:
    from pytest_letta.conformance.sequences import Sequences

    from .asking import Ask
    from .conftest import Fill
    from .shelves import Kind


@pytest.mark.parametrize("kind_of_list", ["agents", "archives", "blocks", "conversations", "passages"], indirect=True)
@contract(
    "REST-WALK-001",
    needs=["agents"],
    because="lists of a shared server change while they are read; exports and clean-ups rest on the walk being whole",
)
def test_walk_is_whole_while_items_come_and_go(
    ask: Ask, kind_of_list: Kind, fill: Fill, letta_sequences: Sequences
) -> None:
    """A walk gives what is in the list all the time, once and in order, whatever is added and deleted meanwhile."""
    from .walking import WalkingMachine

    letta_sequences.run(lambda: WalkingMachine(ask, kind_of_list, fill), examples=3, steps=12, tries=3)
