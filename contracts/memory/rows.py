"""What the database itself holds of some agents, against the reference model: tables as of Letta 0.12 to 0.16.

A server can show what is only in its memory, and hide what is stored; rows cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_letta.conformance.checks import same_set

if TYPE_CHECKING:
    from pytest_letta.oracle import Memory
    from pytest_letta.stack.stack import Stack

_BLOCKS = """
    SELECT held.agent_id AS agent, block.id AS id, block.label AS label, block.value AS value
    FROM blocks_agents held JOIN block ON block.id = held.block_id
    WHERE held.agent_id IN ({agents}) AND NOT block.is_deleted
"""
_PASSAGES = """
    SELECT held.agent_id AS agent, passage.id AS id, passage.text AS text
    FROM archives_agents held JOIN archival_passages passage ON passage.archive_id = held.archive_id
    WHERE held.agent_id IN ({agents}) AND NOT passage.is_deleted
"""
_MESSAGES = """
    SELECT agent_id AS agent, role, count(*) AS number
    FROM messages WHERE agent_id IN ({agents}) AND NOT is_deleted AND role IN ('user', 'tool') GROUP BY 1, 2
"""
#: Letta's role of a row -> the kind of the message that it is shown as.
_ROLES = {"user": "user_message", "tool": "tool_return_message"}


def row_differences(stack: Stack, memory: Memory) -> list[str]:
    """Return in what the rows of the agents of `memory` differ from it: blocks, passages, numbers of messages."""
    if not memory.agents:
        return []
    agents = memory.agents.items()
    blocks = [(id, block, _text(memory.blocks[block])) for id, agent in agents for block in agent.blocks]
    passages = [(id, one, passage.text) for id, agent in agents for one, passage in agent.passages.items()]
    numbers = [
        (id, role, number)
        for id, agent in agents
        for role, kind in _ROLES.items()
        if (number := sum(message.kind == kind for message in agent.messages))
    ]
    found = _read(stack, _BLOCKS, memory), _read(stack, _PASSAGES, memory), _read(stack, _MESSAGES, memory)
    return [
        *filter(
            None,
            [
                same_set(
                    blocks,
                    [(row["agent"], row["id"], f"{row['label']}={row['value']}") for row in found[0]],
                    "rows of blocks",
                ),
                same_set(passages, [(row["agent"], row["id"], row["text"]) for row in found[1]], "rows of passages"),
                same_set(
                    numbers, [(row["agent"], row["role"], row["number"]) for row in found[2]], "rows of messages"
                ),
            ],
        )
    ]


def _text(block: Any) -> str:
    return f"{block.label}={block.value}"


def _read(stack: Stack, statement: str, memory: Memory) -> list[dict[str, Any]]:
    return stack.query(statement.format(agents=", ".join(f"'{id}'" for id in memory.agents)))
