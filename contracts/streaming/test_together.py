"""Together: two streams of one agent at once, and a reader that is slower than the model."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, refused, same_sequence
from pytest_letta.llm import say
from pytest_letta.streaming import text_of

from .events import answers_in
from .modes import FOREGROUND_OR_BACKGROUND

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.streaming import StreamOpener, TurnStream

#: Each answer has its own words, so that what is mixed is seen; the first is spoken while the second begins.
_FIRST, _SECOND = "amber " * 10, "cobalt " * 2
_PACE_S = 0.12
_PIECE = 512 * 1024
_PAUSE_S = 0.05


def _both(
    llm: ModelControl, turn: Callable[[str], AbstractContextManager[TurnStream]]
) -> tuple[str, str | None, list[str]]:
    """Begin a second stream in the midst of a first; return what each said and the answers that are to be stored.

    The second is None where it was refused as a conflict.
    """
    scripts = [llm.script(say(text, pace_s=_PACE_S)) for text in (_FIRST, _SECOND)]

    def second() -> str | None:
        with turn(scripts[1].prompt("The second.")) as stream:
            if stream.response.is_error:
                stream.response.read()
                must(refused(stream.response, 409))
                return None
            return text_of(stream.read_all())

    with ThreadPoolExecutor(1) as pool:
        with turn(scripts[0].prompt("The first.")) as stream:
            # With its first event, be it a ping, the turn is under way.
            stream.read(1)
            other = pool.submit(second)
            text = text_of(stream.read_all())
        return text, other.result(), [_FIRST] if other.result() is None else [_FIRST, _SECOND]


def _judge(text: str, other: str | None) -> None:
    must(equal(_FIRST, text, "text of the first stream"))
    must(None if other is None else equal(_SECOND, other, "text of the second stream"))


@FOREGROUND_OR_BACKGROUND
@contract("SSE-TWO-001", needs=["streaming", "llm"], because="a second window on the same agent is one click away")
def test_two_streams_of_one_agent_do_not_mix(
    letta_agent: Agent, letta_llm: ModelControl, letta_stream: StreamOpener, way: dict[str, Any]
) -> None:
    """Two streams of one agent at once bring each its own answer, both stored, or the second is refused with 409."""
    text, other, answered = _both(letta_llm, lambda prompt: letta_stream(letta_agent, prompt, tokens=True, **way))

    _judge(text, other)
    stored = sorted(answers_in(letta_agent.messages()))
    must(same_sequence(sorted(answered), stored, "answers stored of two streams at once"))


@FOREGROUND_OR_BACKGROUND
@contract(
    "SSE-TWO-002",
    needs=["conversations", "llm"],
    because="a conversation is one thread; two answers break it",
)
def test_two_streams_of_one_conversation_do_not_mix(
    letta_agent: Agent,
    conversation: str,
    letta_llm: ModelControl,
    letta_stream: StreamOpener,
    way: dict[str, Any],
) -> None:
    """Two streams of one conversation at once bring each its own answer, both stored, or the second gets 409."""
    text, other, answered = _both(
        letta_llm, lambda prompt: letta_stream.converse(conversation, prompt, tokens=True, **way)
    )

    _judge(text, other)
    stored = letta_agent.client.get(f"/v1/conversations/{conversation}/messages", params={"limit": 100}).json()
    must(same_sequence(sorted(answered), sorted(answers_in(stored)), "answers stored of two streams at once"))


@FOREGROUND_OR_BACKGROUND
@contract("SSE-SLOW-001", needs=["streaming", "llm"], because="phones on a train read slower than models speak")
def test_slow_reader_loses_nothing(
    letta_agent: Agent, letta_llm: ModelControl, letta_stream: StreamOpener, way: dict[str, Any]
) -> None:
    """A reader that pauses after each event gets the whole answer of 4 MiB, to its [DONE]."""
    tokens = [letter * _PIECE for letter in "abcdefgh"]
    script = letta_llm.script(say("".join(tokens), tokens=tokens))

    with letta_stream(letta_agent, script.prompt(), tokens=True, **way) as stream:
        for _ in stream:
            time.sleep(_PAUSE_S)

    # 4 MiB of letters tell nothing in a report.
    runs = [f"{part[:1]} x {len(part)}" for part in tokens]
    must(same_sequence(runs, _runs(text_of(stream.events)), "text of the stream to a slow reader"))
    must(None if stream.events[-1].is_done else "the stream to a slow reader ended without [DONE]")


def _runs(text: str) -> list[str]:
    """Tell a text as runs of one letter, such as ``a x 524288``."""
    return [f"{letter} x {sum(1 for _ in same)}" for letter, same in itertools.groupby(text)]
