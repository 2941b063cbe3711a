"""Properties of the reference model: what each operation promises, for any memory that operations can make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_letta.oracle import Agent, Block, Memory, Message, Passage, Refused
from pytest_letta.strategies import labels, lines, tags, texts

AGENTS = ["agent-1", "agent-2", "agent-3"]
BLOCKS = ["block-1", "block-2", "block-3", "block-4"]


@st.composite
def memories(draw: st.DrawFn) -> Memory:
    """Up to three agents, and blocks that several of them, one or none holds."""
    memory = Memory()
    for id in BLOCKS[: draw(st.integers(0, 4))]:
        memory = memory.with_block(id, Block(draw(labels()), draw(texts()), read_only=draw(st.booleans())))
    for id in AGENTS[: draw(st.integers(1, 3))]:
        memory = memory.with_agent(id, Agent(draw(lines()), tags=frozenset(draw(tags()))))
        for block in draw(st.sets(st.sampled_from(BLOCKS))) & set(memory.blocks):
            if memory.blocks[block].label not in memory.blocks_of(id):
                memory = memory.attach(id, block)
        for number, text in enumerate(draw(st.lists(texts(), max_size=3))):
            memory = memory.with_passage(id, f"passage-{number}", Passage(text, frozenset(draw(tags()))))
    return memory


@st.composite
def holdings(draw: st.DrawFn) -> tuple[Memory, str, str]:
    """A memory, one of its agents, and a block that it holds."""
    memory = draw(memories().filter(lambda one: any(agent.blocks for agent in one.agents.values())))
    agent = draw(st.sampled_from([id for id, one in memory.agents.items() if one.blocks]))
    return memory, agent, draw(st.sampled_from(sorted(memory.agents[agent].blocks)))


@given(holdings(), texts())
def test_an_edit_is_seen_by_every_holder_and_changes_nothing_else(held: tuple[Memory, str, str], value: str) -> None:
    memory, _, block = held

    edited = memory.edit_block(block, value=value)

    label = memory.blocks[block].label
    assert all(edited.blocks_of(holder)[label].value == value for holder in memory.holders(block))
    assert {**edited.blocks, block: None} == {**memory.blocks, block: None}
    assert edited.agents == memory.agents


@given(holdings())
def test_detaching_undoes_attaching(held: tuple[Memory, str, str]) -> None:
    memory, agent, block = held

    without = memory.detach(agent, block)

    assert memory.blocks[block].label not in without.blocks_of(agent)
    assert set(without.holders(block)) == set(memory.holders(block)) - {agent}
    assert without.attach(agent, block) == memory
    with pytest.raises(Refused, match="does not hold"):
        without.detach(agent, block)


@given(holdings())
def test_a_deleted_block_is_held_by_nobody(held: tuple[Memory, str, str]) -> None:
    memory, _, block = held

    without = memory.delete_block(block)

    assert not any(block in agent.blocks for agent in without.agents.values())
    with pytest.raises(LookupError):
        without.holders(block)


@given(holdings())
def test_no_agent_ever_has_two_blocks_of_one_label(held: tuple[Memory, str, str]) -> None:
    memory, agent, block = held
    twin = memory.with_block("block-9", memory.blocks[block])

    with pytest.raises(Refused, match="two blocks labelled"):
        twin.attach(agent, "block-9")
    renamed = twin.edit_block("block-9", label="other").attach(agent, "block-9")
    with pytest.raises(Refused, match="two blocks labelled"):
        renamed.edit_block("block-9", label=memory.blocks[block].label)


@given(holdings(), lines(max_size=8))
def test_the_models_tools_refuse_what_is_read_only(held: tuple[Memory, str, str], line: str) -> None:
    memory, _, block = held
    open_one = memory.edit_block(block, read_only=False, value="old")
    closed = memory.edit_block(block, read_only=True, value="old")

    assert open_one.insert_into_block(block, line).blocks[block].value == f"old\n{line}"
    assert open_one.replace_in_block(block, "old", line).blocks[block].value == line
    edits: list[Callable[[], Memory]] = [
        lambda: closed.insert_into_block(block, line),
        lambda: closed.replace_in_block(block, "old", line),
    ]
    for edit in edits:
        with pytest.raises(Refused, match="read-only"):
            edit()


def test_a_replacement_must_be_clear() -> None:
    memory = Memory().with_block("block-1", Block("human", "tea, tea"))

    with pytest.raises(Refused, match="stands 2 times"):
        memory.replace_in_block("block-1", "tea", "coffee")
    with pytest.raises(Refused, match="stands 0 times"):
        memory.replace_in_block("block-1", "milk", "coffee")


@given(memories())
def test_a_copy_shares_nothing_with_its_original(memory: Memory) -> None:
    original = AGENTS[0]
    ids = {label: f"copy-of-{label}" for label in memory.blocks_of(original)}

    copied = memory.copy_agent(original, "agent-9", ids, name="Copy")

    assert copied.blocks_of("agent-9") == memory.blocks_of(original)
    assert copied.agents["agent-9"].messages == memory.agents[original].messages
    assert copied.agents["agent-9"].passages == {}
    assert copied.agents["agent-9"].blocks.isdisjoint(memory.blocks)
    assert {id: copied.agents[id] for id in memory.agents} == memory.agents


@given(memories())
def test_a_deleted_agent_leaves_its_blocks(memory: Memory) -> None:
    left = memory.delete_agent(AGENTS[0])

    assert AGENTS[0] not in left.agents
    assert left.blocks == memory.blocks
    with pytest.raises(LookupError):
        left.delete_agent(AGENTS[0])


@given(memories(), texts(), tags())
def test_passages_keep_their_order(memory: Memory, text: str, given_tags: list[str]) -> None:
    agent, passage = AGENTS[0], Passage(text, frozenset(given_tags))

    grown = memory.with_passage(agent, "passage-9", passage)

    assert list(grown.agents[agent].passages) == [*memory.agents[agent].passages, "passage-9"]
    assert grown.delete_passage(agent, "passage-9") == memory
    with pytest.raises(Refused, match="already"):
        grown.with_passage(agent, "passage-9", passage)


@given(memories(), tags())
def test_tags_any_and_all(memory: Memory, wanted: list[str]) -> None:
    passages = memory.agents[AGENTS[0]].passages

    any_of, all_of = (memory.tagged(AGENTS[0], wanted, match_all=both) for both in (False, True))

    assert any_of == [id for id, one in passages.items() if any(tag in one.tags for tag in wanted)]
    assert all_of == [id for id, one in passages.items() if all(tag in one.tags for tag in wanted)]


@given(memories())
def test_what_was_is_not_changed(memory: Memory) -> None:
    before = replace(memory, agents=dict(memory.agents), blocks=dict(memory.blocks))

    memory.say(AGENTS[0], Message("user_message", "Hi.")).modify(AGENTS[0], name="Other").with_block("b", Block("x"))

    assert memory == before


def test_a_server_s_objects_are_read() -> None:
    assert Block.of({"id": "block-1", "label": "human", "value": "x", "limit": 5, "read_only": None}) == Block(
        "human", "x", 5
    )
    assert Passage.of({"text": "x", "tags": ["b", "a"]}) == Passage("x", frozenset("ab"))
    assert Message.of({"message_type": "user_message", "content": [{"type": "text", "text": "Hi."}]}) == Message(
        "user_message", "Hi."
    )
    assert Message.of({"message_type": "tool_call_message", "tool_call": {"name": "f"}}).text == "f"
    assert Message.of({"message_type": "tool_return_message", "status": "success"}).text == "success"
