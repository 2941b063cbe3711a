"""Streams and stored messages in forms that can be compared: kinds, data, answers, arguments of tools."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_letta.sse import Event


def types_of(events: Iterable[Event]) -> list[str]:
    """Return the type of each message of a stream, and ``[DONE]`` for its end."""
    return ["[DONE]" if event.is_done else str(event.json().get("message_type")) for event in events]


def data_of(events: Iterable[Event]) -> list[str]:
    """Return the data of the events. Leave pings out: how many there are depends on when one listens."""
    return [event.data for event in events if event.is_done or event.json().get("message_type") != "ping"]


def answers_in(messages: Iterable[dict[str, Any]]) -> list[str]:
    """Return the content of each answer among stored messages, as it is stored."""
    return [str(one["content"]) for one in messages if one["message_type"] == "assistant_message"]


def arguments_in(text: str) -> object:
    """Return the arguments of a call as a JSON value, or as they are when they are none, to be shown."""
    try:
        return json.loads(text)
    except ValueError:
        return text
