"""The checks of a server's memory against the model: silent on what agrees, and one line for each that does not."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_letta.conformance.memory import (
    agent_differences,
    message_differences,
    passage_differences,
    prompt_differences,
)
from pytest_letta.oracle import Agent, Block, Memory, Message, Passage

MEMORY = (
    Memory()
    .with_agent(
        "agent-1",
        Agent("Ann", "Helps.", frozenset({"a", "b"})),
        {"block-1": Block("human", "<<1>> tea"), "block-2": Block("persona", "<<2>>", limit=50)},
    )
    .with_passage("agent-1", "passage-1", Passage("heron", frozenset({"birds"})))
    .with_passage("agent-1", "passage-2", Passage("mica"))
    .say("agent-1", Message("user_message", "Hi."), Message("assistant_message", "Hello."))
)
HUMAN: dict[str, Any] = {"id": "block-1", "label": "human", "value": "<<1>> tea", "limit": 9, "read_only": False}
PERSONA: dict[str, Any] = {"id": "block-2", "label": "persona", "value": "<<2>>", "limit": 50, "read_only": None}
SHOWN: dict[str, Any] = {"name": "Ann", "description": "Helps.", "tags": ["b", "a"], "blocks": [PERSONA, HUMAN]}
PASSAGES: list[dict[str, Any]] = [
    {"id": "passage-1", "text": "heron", "tags": ["birds"]},
    {"id": "passage-2", "text": "mica", "tags": None},
]
MESSAGES: list[dict[str, Any]] = [
    {"id": "m0", "message_type": "system_message", "content": "You are."},
    {"id": "m1", "message_type": "user_message", "content": "Hi."},
    {"id": "m2", "message_type": "assistant_message", "content": [{"type": "text", "text": "Hello."}]},
]


def test_what_agrees_is_silent() -> None:
    assert agent_differences(MEMORY, "agent-1", SHOWN) == []
    assert (
        agent_differences(MEMORY, "agent-1", {**SHOWN, "blocks": None, "memory": {"blocks": [HUMAN, PERSONA]}}) == []
    )
    assert passage_differences(MEMORY, "agent-1", PASSAGES) == []
    assert message_differences(MEMORY, "agent-1", MESSAGES) == []
    assert prompt_differences(MEMORY, "agent-1", "<human><<1>> tea</human><persona><<2>></persona>") == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "Bob"}, "name of agent-1"),
        ({"description": None}, "description of agent-1"),
        ({"tags": ["a"]}, "tags of agent-1"),
        ({"blocks": [HUMAN]}, "agent-1 lacks its block persona (block-2)"),
        ({"blocks": [HUMAN, PERSONA, {**HUMAN, "id": "block-3"}]}, "block human (block-3) that is none of its own"),
        ({"blocks": [HUMAN, HUMAN, PERSONA]}, "blocks of agent-1 are listed twice"),
        (
            {"blocks": [{**HUMAN, "value": "coffee"}, PERSONA]},
            "block human of agent-1: value is coffee, not <<1>> tea",
        ),
        ({"blocks": [HUMAN, {**PERSONA, "limit": 5}]}, "block persona of agent-1: limit is 5, not 50"),
        ({"blocks": [HUMAN, {**PERSONA, "read_only": True}]}, "read_only is True, not False"),
        ({"blocks": [HUMAN, {**PERSONA, "label": "me"}]}, "label is me, not persona"),
    ],
)
def test_each_difference_of_an_agent_is_told(change: dict[str, Any], told: str) -> None:
    (found,) = agent_differences(MEMORY, "agent-1", {**SHOWN, **change})

    assert told in found


def test_differences_of_passages_are_told() -> None:
    changed = passage_differences(MEMORY, "agent-1", [{**PASSAGES[0], "text": "stork"}, PASSAGES[1]])

    assert "passage passage-1 of agent-1" in changed[0]
    assert "out of order" in passage_differences(MEMORY, "agent-1", PASSAGES[::-1])[0]
    assert "1 missing" in passage_differences(MEMORY, "agent-1", PASSAGES[:1])[0]


def test_differences_of_the_history_are_told() -> None:
    assert "1 missing" in message_differences(MEMORY, "agent-1", MESSAGES[:2])[0]
    assert "out of order" in message_differences(MEMORY, "agent-1", MESSAGES[::-1])[0]
    twice = message_differences(MEMORY, "agent-1", [*MESSAGES, MESSAGES[-1]])
    assert "history of agent-1 holds a message twice" in twice


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("<<1>> tea", "block persona of agent-1 is not in the prompt"),
        ("<<1>>tea <<2>>", "block human of agent-1 is not in the prompt"),
        ("<<1>> tea <<2>> <<7>> milk", "still holds what none of its blocks says any more: <<7>>"),
        ("<<1>> tea <<2>> <<2>>", "does not hold each of its blocks once"),
    ],
)
def test_each_difference_of_a_prompt_is_told(prompt: str, told: str) -> None:
    (found,) = prompt_differences(MEMORY, "agent-1", prompt)

    assert told in found
