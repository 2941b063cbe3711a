"""The reply is chosen from the prompt alone: its marker, and the steps after it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_letta.errors import ModelError
from pytest_letta.llm import ScriptedModel, call_tool, fail, say
from pytest_letta.llm.reply import Reply

FIRST, SECOND = call_tool("lookup", {}), say("Found it.")


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


ASSISTANT = {"role": "assistant", "content": None, "tool_calls": []}
TOOL = {"role": "tool", "tool_call_id": "call_1", "content": "42"}


@pytest.fixture
def model() -> ScriptedModel:
    model = ScriptedModel()
    model.put("k1", [FIRST, SECOND])
    model.put("k2", [say("Other.")])
    return model


def chosen(model: ScriptedModel, *messages: dict[str, Any]) -> Reply:
    return model.choose(messages).reply


def test_step_is_the_number_of_assistant_messages_after_the_marker(model: ScriptedModel) -> None:
    assert chosen(model, ASSISTANT, user("Go [[script:k1]]")) == FIRST
    assert chosen(model, ASSISTANT, user("Go [[script:k1]]"), ASSISTANT, TOOL) == SECOND


@given(st.integers(0, 6))
def test_same_prompt_gets_the_same_reply_and_ids(steps: int) -> None:
    model = ScriptedModel()
    model.put("k", [FIRST, SECOND])
    prompt = [user("[[script:k]]"), *[ASSISTANT] * steps]

    turn = model.choose(prompt)

    assert model.choose(prompt) == turn
    assert model.choose(prompt).make_id("call_") == turn.make_id("call_")


def test_last_say_repeats_past_the_end(model: ScriptedModel) -> None:
    assert chosen(model, user("[[script:k1]]"), *[ASSISTANT] * 9) == SECOND


@pytest.mark.parametrize("last", [call_tool("f", {}), fail(429)])
def test_past_any_other_last_reply_the_model_is_done(model: ScriptedModel, last: Reply) -> None:
    model.put("k", [last])

    assert chosen(model, user("[[script:k]]"), ASSISTANT) == say("Done.")


def test_last_user_message_with_a_marker_counts(model: ScriptedModel) -> None:
    prompt = [user("[[script:k2]]"), ASSISTANT, user("[[script:k1]]"), ASSISTANT, user("heartbeat")]

    assert chosen(model, *prompt) == SECOND


def test_last_marker_of_a_message_counts(model: ScriptedModel) -> None:
    assert chosen(model, user("[[script:k2]] [[script:k1]]")) == FIRST


def test_marker_of_another_role_is_ignored(model: ScriptedModel) -> None:
    assert chosen(model, {"role": "system", "content": "[[script:k1]]"}, user("Hi")) == say("You said: Hi")


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"type": "user_message", "message": "Go [[script:k1]]", "time": "10:00"}),
        [{"type": "text", "text": "Go"}, {"type": "text", "text": "[[script:k1]]"}],
        ["Go [[script:k1]]"],
        [{"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": "[[script:k1]]"}],
    ],
)
def test_marker_is_found_in_every_packing(model: ScriptedModel, content: Any) -> None:
    assert chosen(model, user(content)) == FIRST


def test_without_a_marker_the_model_echoes(model: ScriptedModel) -> None:
    assert chosen(model, user("One"), ASSISTANT, user("Two")) == say("You said: Two")
    assert chosen(model, {"role": "system", "content": "x"}) == say("You said: ")


@pytest.mark.parametrize("text", ["[1]", "{}", '{"message": 3}', "{broken", "[" * 100_000])
def test_echo_keeps_text_that_only_looks_like_packing(model: ScriptedModel, text: str) -> None:
    assert chosen(model, user(text)) == say(f"You said: {text}")


def test_echo_leaves_out_the_packing_with_the_time_of_day(model: ScriptedModel) -> None:
    packed = json.dumps({"type": "user_message", "message": "Hi", "time": "2026-01-01 10:00:00 PM UTC"})

    assert chosen(model, user(packed)) == say("You said: Hi")


def test_marker_without_a_script_is_refused_by_name(model: ScriptedModel) -> None:
    reply = chosen(model, user("[[script:nobody]]"))

    assert (reply.kind, reply.status, reply.code) == ("fail", 400, "script_not_found")
    assert "'nobody'" in (reply.message or "")


def test_script_run_twice_in_a_conversation_makes_two_tool_call_ids(model: ScriptedModel) -> None:
    once = [user("[[script:k1]]")]
    twice = [*once, ASSISTANT, TOOL, ASSISTANT, *once]

    assert model.choose(once).reply == model.choose(twice).reply
    assert model.choose(once).make_id("call_") != model.choose(twice).make_id("call_")


def test_dropped_script_is_gone(model: ScriptedModel) -> None:
    assert model.drop("k1")
    assert not model.drop("k1")
    assert chosen(model, user("[[script:k1]]")).kind == "fail"


@pytest.mark.parametrize("key", ["", "a b", "a]", "a/b", "x" * 65, "é"])
def test_key_that_no_marker_can_carry_is_refused(model: ScriptedModel, key: str) -> None:
    with pytest.raises(ModelError, match="key must be 1 to 64"):
        model.put(key, [SECOND])


def test_script_without_a_reply_is_refused(model: ScriptedModel) -> None:
    with pytest.raises(ModelError, match="at least one reply"):
        model.put("k", [])
