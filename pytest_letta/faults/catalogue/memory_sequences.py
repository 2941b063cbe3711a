"""Faults for the random sequences and for the model's own tools: part of the memory suite's catalogue."""

from __future__ import annotations

from pytest_letta.faults.catalogue.memory_rows import DETACHED
from pytest_letta.faults.fault import CataloguedFault, Match
from pytest_letta.faults.memory import keep_old_prompt
from pytest_letta.faults.stack import StackFault, run_sql, sql_while
from pytest_letta.faults.writes import swallow_write

_OURS = "(SELECT id FROM agents WHERE name LIKE 'pytest-letta-%')"

#: Spoils each text of a block that is stored again, as a careless normalisation would.
_SPOIL = r"""
    CREATE FUNCTION spoil_block() RETURNS trigger AS $$
    BEGIN
        NEW.value := replace(replace(normalize(NEW.value, NFC), '<', '&lt;'), E'\r\n', E'\n');
        RETURN NEW;
    END $$ LANGUAGE plpgsql;
    CREATE TRIGGER spoil_block BEFORE UPDATE ON block FOR EACH ROW EXECUTE FUNCTION spoil_block();
"""
_SPOIL_NO_MORE = "DROP TRIGGER spoil_block ON block; DROP FUNCTION spoil_block()"

FAULTS: tuple[CataloguedFault | StackFault, ...] = (
    CataloguedFault(
        name="sequence-meets-ignored-detachment",
        kills=("MEM-SEQUENCE-001",),
        reason="has a block .* that is none of its own",
        make=lambda: swallow_write("echo", on=Match("PATCH", "/blocks/detach/")),
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
        after={"start": run_sql(f"DELETE FROM messages WHERE role = 'tool' AND agent_id IN {_OURS}")},
    ),
    StackFault(
        name="edit-spoils-the-rest",
        kills=tuple(f"MEM-TOOL-001[{case}]" for case in ("markup", "line-ends", "unicode")),
        reason="block after two edits by the model: expected",
        during=sql_while(_SPOIL, _SPOIL_NO_MORE),
    ),
)
