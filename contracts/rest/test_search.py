"""Searches over all that an organization has, which need what few deployments have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import refused

if TYPE_CHECKING:
    from pytest_letta.agent import Agent

    from .asking import Ask


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/v1/tools/search", id="tools"),
        pytest.param("/v1/messages/search", id="messages"),
        pytest.param("/v1/agents/messages/search", id="messages-of-agents"),
    ],
)
@contract(
    "REST-SEARCH-001", level="should", needs=["agents"], because="a search that finds nothing, and cannot, misleads"
)
def test_search_is_done_or_told_to_be_off(ask: Ask, letta_agent: Agent, path: str) -> None:
    """A search gives a list, or is refused with 400 that says what must be enabled for it."""
    answer = ask("POST", path, {"query": letta_agent.id, "limit": 3})

    if answer.is_success:
        must(None if isinstance(answer.json(), list) else f"a search gives no list: {answer.text[:200]}")
    else:
        must(refused(answer, 400, naming="enabled"))
