"""A reply is checked when it is made, and its JSON form gives the same reply back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_letta.errors import ModelError
from pytest_letta.llm import call_tool, cut, fail, malformed, say, silent
from pytest_letta.llm.reply import Reply, split

SECONDS = st.floats(0, 1e6) | st.integers(0, 1000)
PACING = st.fixed_dictionaries({"pace_s": SECONDS, "hold_s": SECONDS})
TOKENS = st.lists(st.text())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)
)
ARGUMENTS = st.text() | st.dictionaries(st.text(), VALUES, max_size=4)


@st.composite
def cuts(draw: st.DrawFn) -> Reply:
    tokens = draw(TOKENS)
    after_tokens = draw(st.integers(0, len(tokens)))
    return cut("".join(tokens), tokens=tokens, after_tokens=after_tokens, is_clean=draw(st.booleans()))


REPLIES = st.one_of(
    st.builds(lambda text, pacing: say(text, **pacing), st.text(), PACING),
    st.builds(lambda tokens, pacing: say("".join(tokens), tokens=tokens, **pacing), TOKENS, PACING),
    st.builds(
        lambda name, arguments, text, pacing: call_tool(name, arguments, text=text, **pacing),
        st.text(min_size=1),
        ARGUMENTS,
        st.text(),
        PACING,
    ),
    st.builds(
        lambda status, message, code, pacing: fail(status, message, code=code, **pacing),
        st.integers(400, 599),
        st.text(),
        st.none() | st.text(),
        PACING,
    ),
    st.builds(lambda pacing: malformed(**pacing), PACING),
    st.builds(lambda pacing: silent(**pacing), PACING),
    cuts(),
)


@given(REPLIES)
def test_reply_survives_its_json_form(reply: Reply) -> None:
    assert Reply.from_json(json.loads(json.dumps(reply.to_json()))) == reply


@given(st.text())
def test_tokens_joined_are_the_text(text: str) -> None:
    assert "".join(split(text)) == text
    assert say(text).text == text


def test_text_is_split_at_its_words() -> None:
    assert say("Hello  there,\nyou. ").tokens == ("Hello", "  there,", "\nyou.", " ")


def test_arguments_keep_their_order_and_their_letters() -> None:
    assert call_tool("note", {"z": "grün", "a": 1}).arguments == '{"z": "grün", "a": 1}'


def test_broken_arguments_are_kept_as_they_are() -> None:
    assert call_tool("note", '{"a": ').arguments == '{"a": '


def test_schedule_is_absolute() -> None:
    reply = say("a b c", pace_s=0.25, hold_s=2)

    assert [reply.due_s(count) for count in range(4)] == [2, 2.25, 2.5, 2.75]


def test_reply_written_by_hand_may_give_the_text_alone() -> None:
    assert Reply.from_json({"kind": "say", "text": "Hello there"}) == say("Hello there")
    assert Reply.from_json({"kind": "call_tool", "name": "f", "arguments": {"a": 1}}) == call_tool("f", {"a": 1})


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("say", "must be a JSON object"),
        ({}, "kind must be one of say, call_tool"),
        ({"kind": ["say"]}, "kind must be one of"),
        ({"kind": "say", "txt": "x"}, "no field 'txt'.*Did you mean 'text'"),
        ({"kind": "silent", "text": "x"}, "kind 'silent' has no field 'text'"),
        ({"kind": "say", "text": 1}, "text must be a string, got 1"),
        ({"kind": "say", "tokens": "abc"}, "tokens must be a list"),
        ({"kind": "say", "tokens": ["a", 1]}, "tokens must be strings"),
        ({"kind": "say", "text": "ab", "tokens": ["a", 1]}, "tokens must be strings"),
        ({"kind": "say", "text": "ab", "tokens": ["a"]}, "must give the text when joined"),
        ({"kind": "say", "text": "a", "pace_s": -1}, "pace_s must be a number of seconds"),
        ({"kind": "say", "text": "a", "pace_s": float("nan")}, "pace_s must be a number"),
        ({"kind": "say", "text": "a", "hold_s": True}, "hold_s must be a number"),
        ({"kind": "say", "text": "a", "hold_s": "1"}, "hold_s must be a number"),
        ({"kind": "call_tool", "arguments": {}}, "needs the name of a tool"),
        ({"kind": "call_tool", "name": "f"}, "arguments must be a JSON object or a string"),
        ({"kind": "fail", "status": 200, "message": ""}, "status must be a whole number from 400 to 599"),
        ({"kind": "fail", "status": True, "message": ""}, "status must be a whole number"),
        ({"kind": "fail", "status": 500}, "message must be a string"),
        ({"kind": "fail", "status": 500, "message": "", "code": 3}, "code must be a string"),
        ({"kind": "cut", "text": "a b"}, "after_tokens must be a whole number from 0 to 2"),
        ({"kind": "cut", "text": "a b", "after_tokens": 3}, "from 0 to 2, got 3"),
        ({"kind": "cut", "text": "a b", "after_tokens": 1, "is_clean": 1}, "is_clean must be true or false, got 1"),
    ],
)
def test_wrong_json_is_refused_by_the_field(value: object, problem: str) -> None:
    with pytest.raises(ModelError, match=problem):
        Reply.from_json(value)


def test_arguments_that_are_no_json_are_refused() -> None:
    with pytest.raises(ModelError, match="cannot be written as JSON"):
        call_tool("f", {"when": object()})
