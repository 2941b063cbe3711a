"""How far apart the tokens of a turn arrive that the model speaks slowly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_letta import must
from pytest_letta.conformance.checks import equal
from pytest_letta.llm import say
from pytest_letta.streaming import text_of

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.streaming import StreamOpener

#: One stall of a busy machine makes the tokens of one turn arrive together. What buffers does it to each turn.
_TRIES = 3


@dataclass(frozen=True)
class Speech:
    """So many tokens, each `pace_s` seconds after the one before."""

    number: int
    pace_s: float

    @property
    def tokens(self) -> list[str]:
        return [f"word{number} " for number in range(self.number)]

    @property
    def spoken_s(self) -> float:
        """Seconds from the first token to the last."""
        return self.pace_s * (self.number - 1)


def spread_s(agent: Agent, llm: ModelControl, opener: StreamOpener, speech: Speech) -> float:
    """Return the seconds between the first and the last token of a turn."""
    text = "".join(speech.tokens)
    script = llm.script(say(text, tokens=speech.tokens, pace_s=speech.pace_s))
    with opener(agent, script.prompt(), tokens=True) as stream:
        events = stream.read_all()
    must(equal(text, text_of(events), "text of the stream"))
    times = [event.at for event in events if not event.is_done and text_of([event])]
    return times[-1] - times[0]


def widest_s(agent: Agent, llm: ModelControl, opener: StreamOpener, speech: Speech, enough_s: float) -> float:
    """Return the widest spread of some turns: of one, if that is wide enough already."""
    widest = 0.0
    for _ in range(_TRIES):
        widest = max(widest, spread_s(agent, llm, opener, speech))
        if widest >= enough_s:
            break
    return widest
