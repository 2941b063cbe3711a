"""Pure checks of what a server shows against the reference model of `pytest_letta.oracle`.

Each takes the `Memory`, the id of an agent and what was seen of it, and returns what differs, a line each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pytest_letta.conformance.checks import equal, same_sequence, same_set
from pytest_letta.oracle import Block, Memory, Message, Passage
from pytest_letta.telling import shorten

#: A mark that a test puts into each text of memory, so that an old text in a prompt gives itself away.
MARK = re.compile(r"<<\d+>>")


def agent_differences(memory: Memory, agent: str, shown: Mapping[str, Any]) -> list[str]:
    """Compare the fields and the blocks of an agent with its JSON object."""
    wanted = memory.agents[agent]
    found = [
        equal(wanted.name, shown.get("name"), f"name of {agent}"),
        equal(wanted.description, shown.get("description"), f"description of {agent}"),
        same_set(wanted.tags, shown.get("tags") or (), f"tags of {agent}"),
    ]
    blocks = shown.get("blocks") or (shown.get("memory") or {}).get("blocks") or ()
    return [*filter(None, found), *block_differences(memory, agent, blocks)]


def block_differences(memory: Memory, agent: str, shown: Sequence[Mapping[str, Any]]) -> list[str]:
    """Compare the blocks of an agent with a list of JSON objects; the order means nothing."""
    wanted = {id: memory.blocks[id] for id in memory.agents[agent].blocks}
    seen = {str(block.get("id")): block for block in shown}
    found = [_block_difference(agent, wanted[id], seen[id]) for id in wanted if id in seen]
    found += [f"{agent} lacks its block {one.label} ({id})" for id, one in wanted.items() if id not in seen]
    found += [
        f"{agent} has a block {one.get('label')} ({id}) that is none of its own"
        for id, one in seen.items()
        if id not in wanted
    ]
    return [*filter(None, found), *([f"blocks of {agent} are listed twice"] if len(seen) < len(shown) else [])]


def _block_difference(agent: str, wanted: Block, shown: Mapping[str, Any]) -> str | None:
    seen = Block.of(shown)
    fields = ("label", "value", "read_only", *(name for name in ("limit", "description") if getattr(wanted, name)))
    wrong = [
        f"{name} is {shorten(getattr(seen, name), 90)}, not {shorten(getattr(wanted, name), 90)}"
        for name in fields
        if getattr(seen, name) != getattr(wanted, name)
    ]
    return f"block {wanted.label} of {agent}: {'; '.join(wrong)}" if wrong else None


def passage_differences(memory: Memory, agent: str, shown: Sequence[Mapping[str, Any]]) -> list[str]:
    """Compare the passages of an agent with the whole list that the server gives, oldest first."""
    wanted = memory.agents[agent].passages
    seen = {str(one.get("id")): Passage.of(one) for one in shown}
    found = [
        same_sequence(list(wanted), [str(one.get("id")) for one in shown], f"passages of {agent}"),
        *(equal(wanted[id], seen[id], f"passage {id} of {agent}") for id in wanted if id in seen),
    ]
    return [*filter(None, found)]


def message_differences(memory: Memory, agent: str, shown: Sequence[Mapping[str, Any]]) -> list[str]:
    """Compare the history of an agent with the whole list that the server gives, oldest first."""
    kinds = {"user_message", "assistant_message", "tool_call_message", "tool_return_message"}
    seen = [Message.of(one) for one in shown if one.get("message_type") in kinds]
    ids = [(one.get("id"), one.get("message_type")) for one in shown]
    found = [
        same_sequence([*map(_told, memory.agents[agent].messages)], [*map(_told, seen)], f"history of {agent}"),
        f"history of {agent} holds a message twice" if len(set(ids)) < len(ids) else None,
    ]
    return [*filter(None, found)]


def prompt_differences(memory: Memory, agent: str, prompt: str) -> list[str]:
    """Compare the blocks of an agent with a system prompt of its model: each is in it, and nothing former is."""
    blocks = memory.blocks_of(agent)
    missing = [
        f"block {label} of {agent} is not in the prompt: {shorten(block.value, 90)}"
        for label, block in blocks.items()
        if block.value not in prompt
    ]
    current = _marks(block.value for block in blocks.values())
    seen = _marks([prompt])
    stale = sorted({mark for mark in seen if mark not in current})
    if stale:
        missing.append(f"the prompt of {agent} still holds what none of its blocks says any more: {', '.join(stale)}")
    elif sorted(seen) != sorted(current) and not missing:
        missing.append(f"the prompt of {agent} does not hold each of its blocks once")
    return missing


def _marks(texts: Iterable[str]) -> list[str]:
    return [mark for text in texts for mark in MARK.findall(text)]


def _told(message: Message) -> str:
    return f"{message.kind} {message.text!r}"
