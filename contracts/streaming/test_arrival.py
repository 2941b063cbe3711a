"""Arrival: events come when they happen, not when all is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, event_stream
from pytest_letta.llm import say
from pytest_letta.streaming import text_of

from .events import answers_in
from .pace import Speech, spread_s, widest_s

if TYPE_CHECKING:
    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.streaming import StreamOpener

#: What holds a stream back makes its tokens arrive together.
_SPEECH = Speech(9, 0.2)
#: Of the time over which the tokens were spoken.
_ENOUGH = 0.5
_HOLD_S = 1.5
_SILENCE_S = 4.0


def _is_token(message: dict[str, object]) -> bool:
    return message.get("message_type") == "assistant_message" and bool(message.get("content"))


@contract(
    "SSE-ARRIVAL-001",
    needs=["streaming", "llm"],
    because="people read along; an answer that comes at the end is late",
)
def test_tokens_arrive_as_they_are_spoken(
    letta_agent: Agent, letta_llm: ModelControl, letta_stream: StreamOpener
) -> None:
    """Tokens arrive at the pace at which the model speaks them."""
    enough_s = _ENOUGH * _SPEECH.spoken_s

    widest = widest_s(letta_agent, letta_llm, letta_stream, _SPEECH, enough_s)

    late = f"tokens spoken over {_SPEECH.spoken_s:.1f} s arrived within {widest:.2f} s: the stream is held back"
    must(late if widest < enough_s else None)


@contract(
    "SSE-ARRIVAL-002", needs=["streaming", "llm", "proxy"], because="nginx buffers streams unless it is told not to"
)
def test_tokens_pass_the_proxy_as_they_are_spoken(
    make_letta_agent: AgentMaker,
    letta_llm: ModelControl,
    letta_stream: StreamOpener,
    letta_proxy_stream: StreamOpener,
) -> None:
    """Through the proxy tokens arrive as spread out as directly, in the same run."""
    agent = make_letta_agent()
    direct_s = spread_s(agent, letta_llm, letta_stream, _SPEECH)
    # A direct turn that was held up took longer than the model spoke; that is not asked of the proxy.
    enough_s = _ENOUGH * min(direct_s, _SPEECH.spoken_s)

    proxied_s = widest_s(agent, letta_llm, letta_proxy_stream, _SPEECH, enough_s)

    held = f"tokens that arrive over {direct_s:.2f} s directly arrive within {proxied_s:.2f} s through the proxy"
    must(f"{held}: it buffers" if proxied_s < enough_s else None)


@contract(
    "SSE-ARRIVAL-003",
    level="should",
    needs=["streaming", "llm"],
    because="proxies and browsers give up on a silent start",
)
def test_stream_opens_before_the_model_speaks(
    letta_agent: Agent, letta_llm: ModelControl, letta_stream: StreamOpener
) -> None:
    """A first event comes while the model is still silent."""
    script = letta_llm.script(say("At last.", hold_s=_HOLD_S))

    with letta_stream(letta_agent, script.prompt(), tokens=True) as stream:
        events = stream.read_all()

    first = events[0].at
    token = next(event.at for event in events if not event.is_done and _is_token(event.json()))
    early_s = token - first
    must(None if early_s > _ENOUGH * _HOLD_S else f"the first event came {early_s:.2f} s before the first token")


@contract(
    "SSE-ARRIVAL-004",
    needs=["streaming", "llm", "proxy"],
    because="a proxy that cuts silent streams ends long turns: thoth letta-sse.conf",
)
def test_silence_passes_the_proxy(
    letta_agent: Agent, letta_llm: ModelControl, letta_proxy_stream: StreamOpener
) -> None:
    """A model that is silent for four seconds does not cost the stream through the proxy."""
    script = letta_llm.script(say("At last.", hold_s=_SILENCE_S))

    with letta_proxy_stream(letta_agent, script.prompt(), tokens=True) as stream:
        events = stream.read_all()

    must(equal("At last.", text_of(events), f"text after {_SILENCE_S:g} s of silence"))
    must(None if events[-1].is_done else "the stream ended without [DONE]")


@contract(
    "SSE-PROXY-001",
    needs=["streaming", "proxy"],
    because="the proxy exists for streams; it must pass them on unchanged",
)
def test_proxy_passes_a_stream_on_as_it_is(letta_agent: Agent, letta_proxy_stream: StreamOpener) -> None:
    """Through the proxy a stream is an event stream too, and holds the answer that is stored, to its [DONE]."""
    with letta_proxy_stream(letta_agent, "Hello.", tokens=True) as stream:
        events = stream.read_all()

    must(event_stream(stream.response, "content type through the proxy"))
    must(
        equal(
            answers_in(letta_agent.messages()),
            [text_of(events)],
            "answers stored against the stream through the proxy",
        )
    )
    must(None if events[-1].is_done else "the stream through the proxy ended without [DONE]")


@contract(
    "SSE-PROXY-002",
    needs=["streaming", "proxy"],
    because="a proxy that drops what it takes for empty lets every hop after it run into its time-out",
)
def test_signs_of_life_pass_the_proxy(
    letta_agent: Agent, letta_stream: StreamOpener, letta_proxy_stream: StreamOpener
) -> None:
    """Where a stream begins with a ping or a comment, it does so through the proxy too."""
    begun = [_begins_alive(letta_agent, opener) for opener in (letta_stream, letta_proxy_stream)]

    must(
        "a stream begins with a ping or a comment directly, not through the proxy" if begun == [True, False] else None
    )


def _begins_alive(agent: Agent, opener: StreamOpener) -> bool:
    with opener(agent, "Hello.", tokens=True) as stream:
        first = stream.read_all()[0]
    return first.json().get("message_type") == "ping" or any(one.at <= first.at for one in stream.comments)
