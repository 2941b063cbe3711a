"""Text: what was streamed is what is stored, and what the model said."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, status
from pytest_letta.llm import say
from pytest_letta.streaming import StreamOpener, payloads, text_of

from .events import answers_in
from .modes import STEPS_OR_TOKENS

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.settings import Settings

_MANY = 20
_TEXTS = {
    "emoji": ["I ", "\U0001f9a6", " otters", " \U0001f468\u200d\U0001f469\u200d\U0001f467", "!"],
    "line-ends": ["first\n", "\nsecond", "\r\n", "third\n"],
    "quotes": ['"', "it's", ' "quoted', '" \\ back\\', "\\n", "slash"],
    "spaces": ["  a", "  ", "b", "\t", "c d", "  \n"],
    "markup": ["data: x", "\n\n", "event: y", "\n", "<b>&amp;</b>", "[DONE]"],
    "right-to-left": ["\u05e9\u05dc\u05d5\u05dd", " ", "\u0645\u0631\u062d\u0628\u0627"],
}


def _stored_text(agent: Agent) -> str:
    said = [one for one in agent.messages() if one["message_type"] == "assistant_message"]
    content = said[-1]["content"] if said else ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


@STEPS_OR_TOKENS
@contract("SSE-TEXT-001", needs=["streaming"], because="deltas that repeat or get lost: letta-ai/letta#2283")
def test_streamed_text_is_the_stored_text(
    letta_agent: Agent, letta_stream: StreamOpener, way: dict[str, Any]
) -> None:
    """The pieces of the answer joined are the message that is stored."""
    with letta_stream(letta_agent, "Tell me of the sea in two sentences.", **way) as stream:
        streamed = text_of(stream.read_all())

    must(None if streamed else "the stream holds no text of an answer")
    must(equal(_stored_text(letta_agent), streamed, "text of the stream against the stored message"))


@pytest.mark.parametrize("case", _TEXTS)
@contract("SSE-TEXT-002", needs=["streaming", "llm"], because="signs with a meaning of their own break naive framing")
def test_tokens_are_what_the_model_said(
    letta_agent: Agent, letta_llm: ModelControl, opener: StreamOpener, case: str
) -> None:
    """The tokens joined are the text that the model spoke, to the last character."""
    text = "".join(_TEXTS[case])
    script = letta_llm.script(say(text, tokens=_TEXTS[case]))

    with opener(letta_agent, script.prompt(), tokens=True) as stream:
        streamed = text_of(stream.read_all())

    must(equal(text, streamed, "text of the stream"))


@contract(
    "SSE-TEXT-003", needs=["streaming", "llm"], because="clients show tokens one by one; one chunk is no stream"
)
def test_tokens_come_as_tokens(letta_agent: Agent, letta_llm: ModelControl, opener: StreamOpener) -> None:
    """A stream of tokens brings the answer in as many pieces as the model spoke."""
    script = letta_llm.script(say("one two three four five", tokens=["one", " two", " three", " four", " five"]))

    with opener(letta_agent, script.prompt(), tokens=True) as stream:
        pieces = [one["content"] for one in payloads(stream.read_all(), "assistant_message") if one["content"]]

    must(None if len(pieces) >= 5 else f"5 tokens came in {len(pieces)} pieces")


@STEPS_OR_TOKENS
@contract("SSE-IDS-001", needs=["streaming"], because="clients join the pieces of a message by its id")
def test_pieces_carry_the_id_of_the_stored_message(
    letta_agent: Agent, letta_stream: StreamOpener, way: dict[str, Any]
) -> None:
    """All pieces of the answer carry one id, that of the stored message, and one run_id."""
    with letta_stream(letta_agent, "Hello.", **way) as stream:
        pieces = payloads(stream.read_all(), "assistant_message")

    must(None if pieces else "the stream holds no answer")
    must(equal(1, len({one["id"] for one in pieces}), "number of ids of the answer"))
    must(equal(1, len({one.get("run_id") for one in pieces}), "number of run_ids of the answer"))
    stored = {one["id"] for one in letta_agent.messages()}
    must(contains(stored, pieces[0]["id"], "ids of the stored messages"))


@contract("SSE-APART-001", needs=["streaming", "llm"], because="one server answers many at once; a mix-up is a leak")
def test_streams_of_many_agents_do_not_mix(
    make_letta_agent: AgentMaker, letta_client: httpx.Client, letta_llm: ModelControl, letta_settings: Settings
) -> None:
    """Of twenty streams of twenty agents at once each brings its own text only, and each agent stores its own."""
    agents = [make_letta_agent(memory_blocks=[], include_base_tools=False) for _ in range(_MANY)]
    texts = [f"marker-{number:02} " * 6 for number in range(_MANY)]
    scripts = [letta_llm.script(say(text, pace_s=0.05)) for text in texts]
    # All of them share what one alone has to itself.
    opener = StreamOpener(letta_client, 3 * letta_settings.timeout)

    def streamed(number: int) -> str:
        with opener(agents[number], scripts[number].prompt(), tokens=True) as stream:
            must(status(stream.response, 200))
            return text_of(stream.read_all())

    with ThreadPoolExecutor(_MANY) as pool:
        found = list(pool.map(streamed, range(_MANY)))
        kept = list(pool.map(lambda agent: answers_in(agent.messages()), agents))

    for number, text in enumerate(texts):
        must(equal(text, found[number], f"stream of agent {number + 1} of {_MANY} at once"))
        must(equal([text], kept[number], f"answers stored of agent {number + 1} of {_MANY} at once"))
