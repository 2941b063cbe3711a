"""Leaving: a client that goes in the middle of a stream harms neither its run nor its agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract

if TYPE_CHECKING:
    from pytest_letta.agent import AgentMaker
    from pytest_letta.conformance.sequences import Sequences
    from pytest_letta.llm import ModelControl
    from pytest_letta.streaming import StreamOpener

    from .leaving import LeavingMachine

_NEEDS = ["streaming", "llm", "runs"]
_STEPS = 3
#: Each is a run of seconds on a server.
_TRIES = 6

Leaver = Callable[[bool], Callable[[], "LeavingMachine"]]


@pytest.fixture
def leaver(
    make_letta_agent: AgentMaker, letta_llm: ModelControl, letta_stream: StreamOpener, letta_sequences: Sequences
) -> Leaver:
    """Return ``leaver(background)``: machines whose client leaves streams, each with an agent of its own."""
    from .leaving import LeavingClient, LeavingMachine

    def maker(background: bool) -> Callable[[], LeavingMachine]:
        return lambda: LeavingMachine(LeavingClient(make_letta_agent(), letta_llm, letta_stream, background))

    return maker


@contract("SSE-LEAVE-001", needs=_NEEDS, because="people close the window in the middle of an answer")
def test_client_that_leaves_does_no_harm(leaver: Leaver, letta_sequences: Sequences) -> None:
    """After whatever event a client leaves, its run ends, if completed then stored; the next turn is answered."""
    letta_sequences.run(leaver(False), examples=1, steps=_STEPS, tries=_TRIES)


@contract(
    "SSE-LEAVE-002",
    needs=[*_NEEDS, "background"],
    because="that is what background is for: a phone that loses its network in the middle of an answer",
)
def test_background_run_needs_no_client(leaver: Leaver, letta_sequences: Sequences) -> None:
    """After whatever event a client leaves, a background run is completed and stored; the next turn is answered."""
    letta_sequences.run(leaver(True), examples=1, steps=_STEPS, tries=_TRIES)
