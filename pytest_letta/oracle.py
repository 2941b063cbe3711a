"""Reference model of what agents remember: plain data and what each operation makes of it. No I/O.

A test does the same to a server and to a `Memory`, and then compares what the server shows with what the model
holds. Every operation returns a new `Memory`; the old one stays as it was, so that a test can keep several that are
possible, as after a crash, and go on with the one that came true.

Ids are those of the server. An operation that names what is not there raises LookupError; one that a server must
refuse raises Refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any


class Refused(Exception):
    """A server must refuse this operation; the text says why."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of core memory. `limit` in characters; ``None`` in `limit` or `description`: the server's choice."""

    label: str
    value: str = ""
    limit: int | None = None
    description: str | None = None
    read_only: bool = False

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> Block:
        """Return the block that a server shows as a JSON object."""
        return cls(
            str(shown.get("label")),
            str(shown.get("value")),
            shown.get("limit"),
            shown.get("description"),
            bool(shown.get("read_only")),
        )


@dataclass(frozen=True, slots=True)
class Passage:
    """A text of archival memory with its tags, whose order means nothing."""

    text: str
    tags: frozenset[str] = frozenset()

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> Passage:
        """Return the passage that a server shows as a JSON object."""
        return cls(str(shown.get("text")), frozenset(shown.get("tags") or ()))


@dataclass(frozen=True, slots=True)
class Message:
    """What was said in one message: `kind` is Letta's ``message_type``, `text` its content, call or result."""

    kind: str
    text: str

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> Message:
        """Return the message that a server shows as a JSON object; of a tool's call the text is its name."""
        kind = str(shown.get("message_type"))
        if kind == "tool_call_message":
            return cls(kind, str((shown.get("tool_call") or {}).get("name")))
        if kind == "tool_return_message":
            return cls(kind, str(shown.get("status")))
        return cls(kind, text_of(shown.get("content")))


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent: its fields, the ids of its blocks, its passages by id, oldest first, and its messages.

    Messages are those after the system message, oldest first.
    """

    name: str
    description: str | None = None
    tags: frozenset[str] = frozenset()
    blocks: frozenset[str] = frozenset()
    passages: Mapping[str, Passage] = field(default_factory=dict)
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """Agents and blocks by their ids. Blocks may be held by several agents, or by none."""

    agents: Mapping[str, Agent] = field(default_factory=dict)
    blocks: Mapping[str, Block] = field(default_factory=dict)

    # --- what there is ---------------------------------------------------------------------------------------

    def blocks_of(self, agent: str) -> dict[str, Block]:
        """Return the blocks of an agent by label."""
        return {self.blocks[id].label: self.blocks[id] for id in self.agents[agent].blocks}

    def block_id(self, agent: str, label: str) -> str:
        """Return the id of the block that an agent has under `label`."""
        return _first((id for id in self.agents[agent].blocks if self.blocks[id].label == label), label)

    def holders(self, block: str) -> list[str]:
        """Return the ids of the agents that hold a block."""
        _ = self.blocks[block]
        return [id for id, agent in self.agents.items() if block in agent.blocks]

    def tagged(self, agent: str, tags: Iterable[str], *, match_all: bool = False) -> list[str]:
        """Return the ids of the passages of an agent that carry any of `tags`, or all of them."""
        wanted = frozenset(tags)
        passages = self.agents[agent].passages
        return [id for id, one in passages.items() if (wanted <= one.tags if match_all else wanted & one.tags)]

    # --- agents ----------------------------------------------------------------------------------------------

    def with_agent(self, id: str, agent: Agent, blocks: Mapping[str, Block] | None = None) -> Memory:
        """Add an agent with new `blocks` of its own, beside those that it names already."""
        if id in self.agents:
            raise Refused(f"there is an agent {id} already")
        grown = Memory(self.agents, {**self.blocks, **(blocks or {})})
        held = agent.blocks | frozenset(blocks or {})
        grown._must_differ(held)
        return grown._with(id, replace(agent, blocks=held))

    def modify(self, agent: str, **fields: Any) -> Memory:
        """Change the name, the description or the tags of an agent."""
        return self._with(agent, replace(self.agents[agent], **fields))

    def delete_agent(self, agent: str) -> Memory:
        """Delete an agent; its blocks stay, as Letta keeps them."""
        _ = self.agents[agent]
        return replace(self, agents={id: one for id, one in self.agents.items() if id != agent})

    def copy_agent(self, agent: str, id: str, blocks: Mapping[str, str], **fields: Any) -> Memory:
        """Add what the agent file of `agent` makes: copies of its blocks, its messages, and no passages.

        `blocks` maps each label to the id of the copy. `fields`, such as the name, differ from the original's.
        """
        original = self.agents[agent]
        copies = {blocks[label]: block for label, block in self.blocks_of(agent).items()}
        return self.with_agent(id, replace(original, blocks=frozenset(), passages={}, **fields), copies)

    # --- blocks ----------------------------------------------------------------------------------------------

    def with_block(self, id: str, block: Block) -> Memory:
        """Add a block that nobody holds."""
        if id in self.blocks:
            raise Refused(f"there is a block {id} already")
        return replace(self, blocks={**self.blocks, id: block})

    def edit_block(self, block: str, **fields: Any) -> Memory:
        """Change fields of a block, for all its holders."""
        edited = replace(self, blocks={**self.blocks, block: replace(self.blocks[block], **fields)})
        for holder in self.holders(block):
            edited._must_differ(edited.agents[holder].blocks)
        return edited

    def insert_into_block(self, block: str, line: str) -> Memory:
        """Add a line after the last one of a block, as the agent's tool ``memory_insert`` does."""
        self._must_be_writable(block)
        return self.edit_block(block, value=f"{self.blocks[block].value}\n{line}")

    def replace_in_block(self, block: str, old: str, new: str) -> Memory:
        """Replace a text that stands once in a block, as the agent's tool ``memory_replace`` does."""
        self._must_be_writable(block)
        value = self.blocks[block].value
        if value.count(old) != 1:
            raise Refused(f"{old!r} stands {value.count(old)} times in the block")
        return self.edit_block(block, value=value.replace(old, new))

    def attach(self, agent: str, block: str) -> Memory:
        """Give an agent a block; one that it holds already changes nothing."""
        _ = self.blocks[block]
        held = self.agents[agent].blocks | {block}
        self._must_differ(held)
        return self._with(agent, replace(self.agents[agent], blocks=held))

    def detach(self, agent: str, block: str) -> Memory:
        """Take a block from one agent; its other holders keep it."""
        if block not in self.agents[agent].blocks:
            raise Refused(f"{agent} does not hold {block}")
        return self._with(agent, replace(self.agents[agent], blocks=self.agents[agent].blocks - {block}))

    def delete_block(self, block: str) -> Memory:
        """Delete a block, and take it from all its holders."""
        left = self
        for holder in self.holders(block):
            left = left.detach(holder, block)
        return replace(left, blocks={id: one for id, one in left.blocks.items() if id != block})

    # --- passages and messages -------------------------------------------------------------------------------

    def with_passage(self, agent: str, id: str, passage: Passage) -> Memory:
        """Add a passage after all others of an agent."""
        if id in self.agents[agent].passages:
            raise Refused(f"there is a passage {id} already")
        return self._with_passages(agent, {**self.agents[agent].passages, id: passage})

    def delete_passage(self, agent: str, id: str) -> Memory:
        """Delete a passage of an agent."""
        passages = self.agents[agent].passages
        _ = passages[id]
        return self._with_passages(agent, {one: passage for one, passage in passages.items() if one != id})

    def say(self, agent: str, *messages: Message) -> Memory:
        """Add messages at the end of an agent's history."""
        known = self.agents[agent]
        return self._with(agent, replace(known, messages=(*known.messages, *messages)))

    # --- how it is done --------------------------------------------------------------------------------------

    def _with(self, id: str, agent: Agent) -> Memory:
        return replace(self, agents={**self.agents, id: agent})

    def _with_passages(self, agent: str, passages: Mapping[str, Passage]) -> Memory:
        return self._with(agent, replace(self.agents[agent], passages=passages))

    def _must_be_writable(self, block: str) -> None:
        if self.blocks[block].read_only:
            raise Refused(f"block {self.blocks[block].label!r} is read-only for the agent's own tools")

    def _must_differ(self, held: Iterable[str]) -> None:
        labels = sorted(self.blocks[id].label for id in held)
        if twice := next((one for one, other in pairwise(labels) if one == other), None):
            raise Refused(f"an agent cannot have two blocks labelled {twice!r}")


def _first(found: Iterable[str], wanted: str) -> str:
    for one in found:
        return one
    raise LookupError(wanted)


def text_of(content: object) -> str:
    """Return the text of a message's content, which is a text or a list of parts."""
    if isinstance(content, Sequence) and not isinstance(content, str):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return "" if content is None else str(content)
