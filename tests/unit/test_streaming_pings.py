"""Which events of a background stream are kept, and come again in a resume."""

from __future__ import annotations

import json

from pytest_letta.decoder import Event
from pytest_letta.streaming import lasting


def _event(data: str) -> Event:
    return Event("message", data, None, None, 0.0)


def test_pings_of_a_silence_are_left_out() -> None:
    sent = [("ping", 1), ("ping", 1), ("assistant_message", 2), ("ping", 2), ("stop_reason", None), ("ping", None)]
    events = [_event(json.dumps({"message_type": kind, "seq_id": number})) for kind, number in sent]

    kept = lasting([*events, _event("[DONE]")])

    assert [event.is_done for event in kept] == [False, False, False, True]
    found = [event.json() for event in kept[:-1]]
    assert [(one["message_type"], one["seq_id"]) for one in found] == [
        ("ping", 1),
        ("assistant_message", 2),
        ("stop_reason", None),
    ]
