"""What the database itself holds of some agents, against the reference model: tables as of Letta 0.12 to 0.16.

A server can show what is only in its memory, and hide what is stored; rows cannot.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pytest_letta.conformance.checks import same_set

if TYPE_CHECKING:
    from pytest_letta.oracle import Memory
    from pytest_letta.stack.stack import Stack

_BLOCKS = """
    SELECT held.agent_id, block.id, block.label, block.value
    FROM blocks_agents held JOIN block ON block.id = held.block_id
    WHERE held.agent_id IN ({agents}) AND NOT block.is_deleted
"""
_PASSAGES = """
    SELECT held.agent_id, passage.id, passage.text
    FROM archives_agents held JOIN archival_passages passage ON passage.archive_id = held.archive_id
    WHERE held.agent_id IN ({agents}) AND NOT passage.is_deleted
"""
_MESSAGES = """
    SELECT agent_id, role, count(*)
    FROM messages WHERE agent_id IN ({agents}) AND NOT is_deleted AND role IN ('user', 'tool') GROUP BY 1, 2
"""
#: Letta's role of a row -> the kind of the message that it is shown as.
_ROLES = {"user": "user_message", "tool": "tool_return_message"}


def row_differences(stack: Stack, memory: Memory) -> list[str]:
    """Return in what the rows of the agents of `memory` differ from it: blocks, passages, numbers of messages."""
    if not memory.agents:
        return []
    held = [(id, block, memory.blocks[block]) for id, agent in memory.agents.items() for block in agent.blocks]
    blocks = [(id, block, one.label, one.value) for id, block, one in held]
    passages = [(id, one, told.text) for id, agent in memory.agents.items() for one, told in agent.passages.items()]
    counts = Counter(
        (id, role)
        for id, agent in memory.agents.items()
        for message in agent.messages
        for role, kind in _ROLES.items()
        if message.kind == kind
    )
    messages = [(*key, number) for key, number in counts.items()]
    found = [
        same_set(blocks, _rows(stack, _BLOCKS, memory), "rows of blocks"),
        same_set(passages, _rows(stack, _PASSAGES, memory), "rows of passages"),
        same_set(messages, _rows(stack, _MESSAGES, memory), "rows of messages by role"),
    ]
    return [*filter(None, found)]


def _rows(stack: Stack, statement: str, memory: Memory) -> list[tuple[Any, ...]]:
    agents = ", ".join(f"'{id}'" for id in memory.agents)
    return [tuple(row.values()) for row in stack.query(statement.format(agents=agents))]
