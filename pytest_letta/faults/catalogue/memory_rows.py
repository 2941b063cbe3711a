"""Faults that a restart or a crash leaves in the rows of the database: part of the memory suite's catalogue."""

from __future__ import annotations

from pytest_letta.faults.stack import StackFault, run_sql

#: Only what a run of the contracts made is harmed.
OURS = "(SELECT id FROM agents WHERE name LIKE 'pytest-letta-%')"
_OUR_BLOCKS = f"(SELECT block_id FROM blocks_agents WHERE agent_id IN {OURS})"
_OUR_ARCHIVES = f"(SELECT archive_id FROM archives_agents WHERE agent_id IN {OURS})"

#: Leaves what another database would have of ours, as one on an empty volume: nothing.
EMPTIED = (
    f"DELETE FROM archives WHERE id IN {_OUR_ARCHIVES};"
    f"DELETE FROM block WHERE id IN {_OUR_BLOCKS};"
    f"DELETE FROM runs WHERE agent_id IN {OURS};"
    f"DELETE FROM agents_tags WHERE agent_id IN {OURS};"
    f"DELETE FROM agents WHERE id IN {OURS}"
)
DETACHED = f"DELETE FROM blocks_agents WHERE agent_id IN {OURS}"

AFTER_RESTART = (
    StackFault(
        name="restart-loses-attachments",
        kills=("MEM-RESTART-001", "MEM-SENTINEL-001"),
        reason="labels of the blocks after the restart|rows were lost: block of agent 1",
        after={"restart": run_sql(DETACHED)},
    ),
    StackFault(
        name="restart-loses-passages",
        kills=("MEM-RESTART-002", "MEM-SENTINEL-001"),
        reason="passages after the restart|rows were lost: passage of agent 1",
        after={"restart": run_sql(f"DELETE FROM archival_passages WHERE archive_id IN {_OUR_ARCHIVES}")},
    ),
    StackFault(
        name="restart-reverses-history",
        kills=("MEM-RESTART-003", "MEM-RESTART-004"),
        reason="history.*(out of order|missing)",
        after={
            "restart": run_sql(f"UPDATE messages SET sequence_id = 1000000000 - sequence_id WHERE agent_id IN {OURS}")
        },
    ),
    StackFault(
        name="restart-loses-context-ids",
        kills=("MEM-RESTART-004", "MEM-RESTART-005"),
        reason=r"POST \S+/messages answered 500",
        after={"restart": run_sql(f"UPDATE agents SET message_ids = '[]' WHERE id IN {OURS}")},
    ),
    StackFault(
        name="restart-forgets-turns",
        kills=("MEM-RESTART-005",),
        reason="first prompt after the restart does not contain Question number one",
        after={
            "restart": run_sql(f"UPDATE agents SET message_ids = json_build_array(message_ids->0) WHERE id IN {OURS}")
        },
    ),
    StackFault(
        name="restart-on-another-database",
        kills=("MEM-SENTINEL-001", *(f"MEM-RESTART-{number:03}" for number in (1, 2, 3, 4, 5))),
        reason="different or an emptied database|answered 404|passages after the restart",
        after={"restart": run_sql(EMPTIED)},
    ),
)

AFTER_KILL = (
    StackFault(
        name="crash-rolls-back-edits",
        kills=("MEM-CRASH-001", "MEM-CRASH-006"),
        reason="edited block after SIGKILL|block that the finished step edited",
        after={
            "kill": run_sql(f"UPDATE block SET value = 'Name unknown.' WHERE label = 'human' AND id IN {_OUR_BLOCKS}")
        },
    ),
    StackFault(
        name="crash-loses-passages",
        kills=("MEM-CRASH-002",),
        reason="passages listed after SIGKILL",
        after={"kill": run_sql(f"DELETE FROM archival_passages WHERE archive_id IN {_OUR_ARCHIVES}")},
    ),
    StackFault(
        name="crash-loses-answers",
        kills=("MEM-CRASH-003", "MEM-CRASH-006"),
        reason="against what was said: 1 missing|does not contain tool_call_message",
        after={
            "kill": run_sql(f"UPDATE messages SET is_deleted = true WHERE role = 'assistant' AND agent_id IN {OURS}")
        },
    ),
    StackFault(
        name="crash-loses-context-ids",
        kills=("MEM-CRASH-005",),
        reason=r"POST \S+/messages answered 500",
        after={"kill": run_sql(f"UPDATE agents SET message_ids = '[]' WHERE id IN {OURS}")},
    ),
    StackFault(
        name="crash-loses-tool-results",
        kills=("MEM-CRASH-006",),
        reason="does not contain tool_return_message",
        after={"kill": run_sql(f"DELETE FROM messages WHERE role = 'tool' AND agent_id IN {OURS}")},
    ),
)
