"""The modes in which a turn can be streamed: one door each, and where its messages are found afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import must
from pytest_letta.conformance.checks import status
from pytest_letta.streaming import run_id_of

if TYPE_CHECKING:
    from pytest_letta import Deployment
    from pytest_letta.agent import Agent
    from pytest_letta.streaming import StreamOpener, TurnStream


_STEPS, _TOKENS = pytest.param({}, id="steps"), pytest.param({"tokens": True}, id="tokens")
_BACKGROUND = pytest.param({"tokens": True, "background": True}, id="background")
#: Judges a turn in each way, as arguments of ``letta_stream``: the `way` of a contract.
STEPS_OR_TOKENS = pytest.mark.parametrize("way", [_STEPS, _TOKENS])
EACH_WAY = pytest.mark.parametrize("way", [_STEPS, _TOKENS, _BACKGROUND])
#: The same for contracts that ask for tokens by themselves.
FOREGROUND_OR_BACKGROUND = pytest.mark.parametrize(
    "way", [pytest.param({}, id="foreground"), pytest.param({"background": True}, id="background")]
)


@dataclass(frozen=True)
class Speaker:
    """An agent, and what makes a conversation of it when one is needed."""

    agent: Agent
    converse: Callable[[], str]


Open = Callable[["StreamOpener", Speaker, str], AbstractContextManager["TurnStream"]]


def _foreground(**way: bool) -> Open:
    return lambda opener, speaker, text: opener(speaker.agent, text, **way)


@contextmanager
def _resumed(opener: StreamOpener, speaker: Speaker, text: str) -> Iterator[TurnStream]:
    """Stream in the background, then all of it again; what counts is the second stream."""
    with opener(speaker.agent, text, tokens=True, background=True) as first:
        must(status(first.response))
        run_id = run_id_of(first.read_all())
    with opener.resume(run_id, 0) as stream:
        yield stream


def _conversed(opener: StreamOpener, speaker: Speaker, text: str) -> AbstractContextManager[TurnStream]:
    return opener.converse(speaker.converse(), text, tokens=True)


@dataclass(frozen=True)
class Mode:
    """`open` streams a turn, where the deployment has what it `needs`."""

    name: str
    open: Open
    needs: tuple[str, ...] = ()

    def missing(self, deployment: Deployment) -> str | None:
        """Say what the deployment lacks for this mode."""
        lacking = (deployment.capabilities[need] for need in self.needs)
        return next((one.reason for one in lacking if not one.available), None)


MODES = (
    Mode("steps", _foreground()),
    Mode("tokens", _foreground(tokens=True)),
    Mode("background", _foreground(tokens=True, background=True), ("background",)),
    Mode("resumed", _resumed, ("background", "resume")),
    Mode("conversation", _conversed, ("conversations",)),
)
CHAT = Mode("chat", lambda opener, speaker, text: opener.chat(speaker.agent, text), ("chat_completions",))


def stored(speaker: Speaker, mode: Mode) -> list[dict[str, Any]]:
    """Return what is stored of a turn, in its order; a conversation's turns are its own."""
    if mode.name != "conversation":
        return speaker.agent.messages()
    path = f"/v1/conversations/{speaker.converse()}/messages"
    answer = speaker.agent.client.get(path, params={"limit": 100, "order": "asc"})
    must(status(answer))
    messages: list[dict[str, Any]] = answer.json()
    return messages
