"""Faults for the random sequences: part of the memory suite's catalogue."""

from __future__ import annotations

from pytest_letta.faults.catalogue.memory_rows import DETACHED, OURS
from pytest_letta.faults.fault import CataloguedFault, Match
from pytest_letta.faults.memory import keep_old_prompt
from pytest_letta.faults.stack import StackFault, run_sql
from pytest_letta.faults.writes import swallow_write

FAULTS: tuple[CataloguedFault | StackFault, ...] = (
    CataloguedFault(
        name="sequence-meets-dropped-edits",
        kills=("MEM-SEQUENCE-001",),
        reason="^block .*: value is .*, not ",
        make=lambda: swallow_write("merged", on=Match("PATCH", r"/blocks/")),
    ),
    CataloguedFault(
        name="sequence-meets-old-prompt",
        kills=("MEM-SEQUENCE-001",),
        reason="is not in the prompt|still holds what none of its blocks says any more",
        make=keep_old_prompt,
    ),
    StackFault(
        name="sequence-meets-lost-attachments",
        kills=("MEM-SEQUENCE-002",),
        reason="lacks its block",
        after={"restart": run_sql(DETACHED)},
    ),
    StackFault(
        name="sequence-meets-halved-step",
        kills=("MEM-SEQUENCE-002",),
        reason="is there in part|missing .*tool_return_message",
        after={"start": run_sql(f"DELETE FROM messages WHERE role = 'tool' AND agent_id IN {OURS}")},
    ),
)
