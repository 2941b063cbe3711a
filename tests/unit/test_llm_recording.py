"""The model remembers what reached it, by key and path, within a bound."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_letta.llm import ScriptedModel
from pytest_letta.llm.script import RecordedRequest

CHAT, EMBED = "/v1/chat/completions", "/v1/embeddings"


def chat(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


def test_requests_are_found_by_key_path_and_number() -> None:
    model = ScriptedModel()
    model.record(CHAT, chat("[[script:a]]"))
    model.record(EMBED, {"input": ["x", "about [[script:a]]"]})
    model.record(CHAT, chat("[[script:b]]"))
    model.record(CHAT, chat("nothing"))

    assert [request.key for request in model.requests()] == ["a", "a", "b", None]
    assert [request.number for request in model.requests("a")] == [1, 2]
    assert [request.number for request in model.requests(path=CHAT)] == [1, 3, 4]
    assert [request.number for request in model.requests(path=CHAT, since=1)] == [3, 4]


def test_recorded_body_is_a_copy() -> None:
    model = ScriptedModel()
    body = chat("Hi")
    model.record(CHAT, body)
    body.clear()
    model.requests()[0].body.clear()

    assert model.requests()[0].body == chat("Hi")


def test_recorded_request_survives_its_json_form() -> None:
    request = RecordedRequest(3, CHAT, chat("Hi"), None, 1.5)

    assert RecordedRequest.from_json(request.to_json()) == request


@given(st.integers(1, 5), st.integers(0, 12))
def test_only_the_newest_are_kept_and_numbers_go_on(keep: int, count: int) -> None:
    model = ScriptedModel(keep=keep)
    for index in range(count):
        model.record(CHAT, index)

    newest = list(range(count))[-keep:]
    assert [(request.number, request.body) for request in model.requests()] == [
        (index + 1, index) for index in newest
    ]


def test_large_bodies_push_out_the_oldest() -> None:
    model = ScriptedModel(keep_bytes=250)
    for index in range(3):
        model.record(CHAT, f"{index}" * 100)

    assert [request.number for request in model.requests()] == [2, 3]


def test_forgetting_spares_the_other_keys() -> None:
    model = ScriptedModel()
    for key in ("a", "b", "a"):
        model.record(CHAT, chat(f"[[script:{key}]]"))

    assert model.forget_requests("a") == 2
    assert [request.key for request in model.requests()] == ["b"]
    assert model.forget_requests() == 1
    assert model.requests() == []


@pytest.mark.parametrize(
    "body", [None, [], "x", {"messages": 1}, {"messages": [1, {"role": "user"}]}, {"input": [[1, 2]]}]
)
def test_any_body_can_be_recorded(body: Any) -> None:
    model = ScriptedModel()
    model.record(CHAT, body)

    assert model.requests()[0].key is None
