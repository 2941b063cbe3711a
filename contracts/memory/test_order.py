"""The order in which blocks are listed: as documented, and the same from one look to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.conformance.checks import same_sequence

from .blocks import held, new_block

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.ownership import Ledger

#: So many that the right order by accident is one case of 40,000.
_MANY = 8


def _labels(agent: Agent, order: str) -> list[str]:
    return [block["label"] for block in held(agent, order=order)]


@contract(
    "MEM-ORDER-001",
    needs=["core_memory", "blocks"],
    because="the API reference says of the parameter order: by creation time, 'asc' for oldest first",
)
def test_blocks_are_listed_by_creation(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger
) -> None:
    """The blocks of an agent are listed by the time of their creation, oldest or newest first as asked for."""
    made = [new_block(letta_client, letta_ledger, "x") for _ in range(_MANY)]
    agent = make_letta_agent(block_ids=[block["id"] for block in reversed(made)])

    by_creation = [block["label"] for block in made]
    must(same_sequence(by_creation, _labels(agent, "asc"), "blocks listed oldest first"))
    must(same_sequence(by_creation[::-1], _labels(agent, "desc"), "blocks listed newest first"))


@contract(
    "MEM-ORDER-002",
    needs=["core_memory"],
    because="a list that is in another order at each look cannot be walked by pages, or compared",
)
def test_list_of_blocks_keeps_its_order(make_letta_agent: AgentMaker) -> None:
    """The list of an agent's blocks is the same at each look, backwards in the other order, and after an edit."""
    labels = [f"part-{n}" for n in range(_MANY)]
    agent = make_letta_agent(memory_blocks=[{"label": label, "value": "x"} for label in labels])
    first = _labels(agent, "asc")

    must(same_sequence(first, _labels(agent, "asc"), "blocks listed again"))
    must(same_sequence(first[::-1], _labels(agent, "desc"), "blocks listed newest first, against oldest first"))
    for label in (labels[0], labels[-1]):
        agent.edit_block(label, "Longer than before. " * 20)
    must(same_sequence(first, _labels(agent, "asc"), "blocks listed after two edits"))
