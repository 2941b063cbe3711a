"""Sequences: whatever is done to a memory, in whatever order, it is what it should be after each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract

if TYPE_CHECKING:
    import httpx

    from pytest_letta.conformance.sequences import Sequences
    from pytest_letta.handles import Handles
    from pytest_letta.llm import ModelControl
    from pytest_letta.ownership import Ledger
    from pytest_letta.settings import Settings
    from pytest_letta.stack.stack import Stack

_NEEDS = ["agents", "agent_file", "core_memory", "blocks", "archival", "archival_search", "messages", "llm"]
_TURNS = ["streaming", "background", "async", "runs"]

Machine = Callable[[frozenset[str]], Callable[[], Any]]


@pytest.fixture
def machine(
    letta_client: httpx.Client,
    letta_handles: Handles,
    letta_ledger: Ledger,
    letta_llm: ModelControl,
    letta_stack: Stack,
    letta_settings: Settings,
    letta_known: frozenset[str],
    letta_sequences: Sequences,
) -> Machine:
    """Machines that use the given actions of the stack, each in a world of its own."""
    from pytest_letta.agent import AgentMaker

    from .disturbances import DisturbedWorld
    from .machine import MemoryMachine
    from .shown import Tools

    tools = Tools(
        client=letta_client,
        make_agent=lambda: AgentMaker(letta_client, letta_handles, letta_ledger, {}),
        ledger=letta_ledger,
        llm=letta_llm,
        stack=letta_stack,
        known=letta_known,
        keep=letta_settings.keep,
    )
    return lambda actions: lambda: MemoryMachine(DisturbedWorld(tools), actions)


@contract(
    "MEM-SEQUENCE-001",
    needs=[*_NEEDS, *_TURNS],
    because="memory that is in the database and not in the prompt, after some order of edits: letta-ai/letta#3236",
)
def test_memory_is_what_was_done_to_it(machine: Machine, letta_sequences: Sequences) -> None:
    """After each operation of a random sequence the server shows what was done to it, and the next prompt says it."""
    letta_sequences.run(machine(frozenset()), examples=3, steps=12)


@contract(
    "MEM-SEQUENCE-002",
    needs=[*_NEEDS, *_TURNS, "restart"],
    because="memory is kept for years, through updates, crashes and power cuts: letta-ai/letta#2354, #2592",
)
def test_memory_outlives_what_befalls_the_services(
    machine: Machine, letta_sequences: Sequences, letta_stack: Stack
) -> None:
    """The same with restarts, crashes and pauses in between and in the midst: what was acknowledged is there, what
    was under way is there whole or not at all."""
    letta_sequences.run(machine(letta_stack.actions), examples=4, steps=12)
