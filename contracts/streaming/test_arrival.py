"""Arrival: events come when they happen, not when all is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal
from pytest_letta.llm import say
from pytest_letta.streaming import text_of

if TYPE_CHECKING:
    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.streaming import StreamOpener

#: The model speaks for 1.6 s. What holds a stream back makes its tokens arrive together.
_TOKENS = [f"word{number} " for number in range(9)]
_PACE_S = 0.2
_SPOKEN_S = _PACE_S * (len(_TOKENS) - 1)
#: Of the time over which the tokens were spoken.
_ENOUGH = 0.5
#: One stall of a busy machine makes the tokens of one turn arrive together. What buffers does it to each turn.
_TRIES = 3
_HOLD_S = 1.5
_SILENCE_S = 4.0


def _widest_s(agent: Agent, llm: ModelControl, opener: StreamOpener, enough_s: float) -> float:
    """Return the widest spread of some turns: of one, if that is wide enough already."""
    widest_s = 0.0
    for _ in range(_TRIES):
        widest_s = max(widest_s, _spread_s(agent, llm, opener))
        if widest_s >= enough_s:
            break
    return widest_s


def _spread_s(agent: Agent, llm: ModelControl, opener: StreamOpener) -> float:
    """Return the seconds between the first and the last token of a turn that is spoken slowly."""
    script = llm.script(say("".join(_TOKENS), tokens=_TOKENS, pace_s=_PACE_S))
    with opener(agent, script.prompt(), tokens=True) as stream:
        events = stream.read_all()
    must(equal("".join(_TOKENS), text_of(events), "text of the stream"))
    times = [event.at for event in events if not event.is_done and _is_token(event.json())]
    return times[-1] - times[0]


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
    enough_s = _ENOUGH * _SPOKEN_S

    spread_s = _widest_s(letta_agent, letta_llm, letta_stream, enough_s)

    late = f"tokens spoken over {_SPOKEN_S:.1f} s arrived within {spread_s:.2f} s: the stream is held back"
    must(late if spread_s < enough_s else None)


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
    direct_s = _spread_s(agent, letta_llm, letta_stream)
    # A direct turn that was held up took longer than the model spoke; that is not asked of the proxy.
    enough_s = _ENOUGH * min(direct_s, _SPOKEN_S)

    proxied_s = _widest_s(agent, letta_llm, letta_proxy_stream, enough_s)

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
        kind = stream.response.headers.get("content-type", "")
        events = stream.read_all()

    must(equal("text/event-stream", kind.partition(";")[0].strip(), "content type through the proxy"))
    said = [one["content"] for one in letta_agent.messages() if one["message_type"] == "assistant_message"]
    must(equal(said, [text_of(events)], "answers stored against the stream through the proxy"))
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
