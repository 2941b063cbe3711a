"""Promises to the official client: MUST for the version that belongs to the server, SHOULD for the newest."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_letta import contract


def for_clients(id: str, *, needs: Sequence[str], because: str) -> pytest.MarkDecorator:
    """Mark a contract that takes the fixture `sdk`: it is run with either client, each a case of its own."""
    levels = {"own": "must", "newest": "should"}
    return pytest.mark.parametrize(
        "sdk",
        [
            pytest.param(which, id=which, marks=contract(id, level=level, needs=needs, because=because))
            for which, level in levels.items()
        ],
        indirect=True,
    )
