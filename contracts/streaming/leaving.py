"""Clients that leave a stream after any of its events, as a Hypothesis state machine on one agent."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from pytest_letta import must
from pytest_letta.agent import Agent
from pytest_letta.conformance.checks import contains, equal, same_sequence, status
from pytest_letta.llm import ModelControl, say
from pytest_letta.streaming import OPEN, StreamOpener, run_id_of, text_of, wait_for_run

from .events import answers_in

_TOKENS = 6
_PACE_S = 0.03
#: A ping, the tokens, the stop reason, the usage and [DONE]: who asks for more reads to the end.
_EVENTS = _TOKENS + 4


@dataclass(frozen=True)
class LeavingClient:
    """One agent, and a client that leaves its streams."""

    agent: Agent
    llm: ModelControl
    opener: StreamOpener
    background: bool

    def leave(self, text: str, after_events: int) -> str:
        """Begin a turn that says `text`, go after so many events, and return the id of its run."""
        tokens = text.split(" ")
        spaced = [f"{token} " for token in tokens[:-1]] + tokens[-1:]
        script = self.llm.script(say(text, tokens=spaced, pace_s=_PACE_S))
        with self.opener(self.agent, script.prompt(), tokens=True, background=self.background) as stream:
            must(status(stream.response))
            return run_id_of(stream.read(after_events))

    def must_have_ended(self, run_id: str, text: str) -> None:
        """The run of a client that left has ended: in the background as completed, and then its answer is stored."""
        run = wait_for_run(self.agent.client, run_id)
        must(f"the run is {run['status']} when its client has gone" if run["status"] in OPEN else None)
        if self.background:
            must(equal("completed", run["status"], "state of a background run after its client left"))
        if run["status"] == "completed":
            must(contains(answers_in(self.agent.messages()), text, "answers stored, one of a run that is completed,"))

    def must_be_answered(self, text: str) -> None:
        """The next turn, streamed to its end, is answered."""
        script = self.llm.script(say(text))
        with self.opener(self.agent, script.prompt("Are you there?"), tokens=True) as stream:
            must(status(stream.response))
            must(equal(text, text_of(stream.read_all()), "answer after the client left"))


class LeavingMachine(RuleBasedStateMachine):
    """One sequence of turns that are left, each with one after it that is not."""

    def __init__(self, client: LeavingClient) -> None:
        super().__init__()
        self.client = client
        self.turns = 0
        self.kept: list[str] = []

    @rule(after_events=st.integers(1, _EVENTS), is_patient=st.booleans())
    def leave(self, after_events: int, is_patient: bool) -> None:
        """Leave a turn, and ask again, when its run has ended or at once."""
        self.turns += 1
        text = " ".join(f"{self.turns}-{number}" for number in range(_TOKENS))
        run_id = self.client.leave(text, after_events)
        if is_patient:
            self.client.must_have_ended(run_id, text)
        self.client.must_be_answered(f"Back again, {self.turns}.")
        self.client.must_have_ended(run_id, text)
        self._earlier_turns_stay()

    def _earlier_turns_stay(self) -> None:
        stored = [str(one["id"]) for one in self.client.agent.messages()]
        must(same_sequence(self.kept, [id for id in stored if id in self.kept], "messages of the turns before"))
        self.kept = list(dict.fromkeys(stored))
