"""Recall memory: the history of an agent is complete, in order, and the same on every page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, no_repeats, same_sequence, status

if TYPE_CHECKING:
    from pytest_letta.agent import Agent

_SAID = ["First.", 'Second: {"a": 1} and <b>.', "Third: Zoë \U0001f9ff."]


def _texts(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Who said what, without the system's own messages."""
    kinds = ("user_message", "assistant_message")
    return [(m["message_type"], str(m.get("content"))) for m in messages if m["message_type"] in kinds]


def _ids(messages: list[dict[str, Any]]) -> list[str]:
    # One message may be shown in several parts, such as reasoning and text: the id alone is not unique.
    return [f"{m['id']} {m['message_type']}" for m in messages]


@contract(
    "MEM-HISTORY-001",
    needs=["messages"],
    because="lost, doubled and disordered histories: letta-ai/letta#2204, #915, commit 0d7c2c638",
)
def test_history_holds_every_turn_once_and_in_order(letta_agent: Agent) -> None:
    """The stored history is what was said: each user message, then what its turn answered, once and in order."""
    # Some kinds of agents begin with messages that nobody said.
    expected = _texts(letta_agent.messages())
    for text in _SAID:
        turn = letta_agent.send(text)
        expected += [("user_message", text), *_texts(turn["messages"])]

    stored = letta_agent.messages()

    must(same_sequence(expected, _texts(stored), "stored history against what was said"))
    must(no_repeats(_ids(stored), "stored history"))


@contract(
    "MEM-HISTORY-002",
    needs=["messages"],
    because="a stale slice after a reconnect hides the last turn: letta-ai/letta-code#1475",
)
def test_newest_page_holds_the_turn_that_just_ended(letta_agent: Agent) -> None:
    """The page of the newest messages holds the turn that just ended."""
    for text in _SAID[:2]:
        letta_agent.send(text)

        newest = _texts(letta_agent.messages(limit=5, order="desc"))

        must(contains(newest, ("user_message", text), f"newest page right after the turn {text!r}"))


@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize("order", ["oldest-first", "newest-first"])
@contract(
    "MEM-HISTORY-003",
    needs=["messages"],
    because="cursors that lose or repeat items truncate a history silently: letta-ai/letta#3088",
)
def test_pages_together_are_the_history(letta_agent: Agent, limit: int, order: str) -> None:
    """Walking the history by pages, from either end, gives every message once and in order."""
    for text in _SAID[:2]:
        letta_agent.send(text)
    whole = _ids(letta_agent.messages())

    walked = _walk(letta_agent, limit, order, at_most=len(whole) + 2)

    must(same_sequence(whole, walked, f"history walked {order} by {limit}, against one page"))


def _walk(agent: Agent, limit: int, order: str, at_most: int) -> list[str]:
    """Follow the cursors; each page is oldest first, whichever end it was cut from."""
    walked: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(at_most):
        sent = {"limit": limit, "order": "asc" if order == "oldest-first" else "desc", **cursor}
        answer = agent.client.get(f"{agent.path}/messages", params=sent)
        must(status(answer))
        page = answer.json()
        if not page:
            break
        if order == "oldest-first":
            walked += _ids(page)
            cursor = {"after": page[-1]["id"]}
        else:
            walked = _ids(page) + walked
            cursor = {"before": page[0]["id"]}
    return walked
