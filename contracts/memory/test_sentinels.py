"""Sentinels: a restart must not leave the server with fewer agents, or with another database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, must

from .sentinels import Sentinels, agent_count, missing, planted, told

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import AgentMaker
    from pytest_letta.ownership import Ledger
    from pytest_letta.stack.stack import Stack


@contract(
    "MEM-SENTINEL-001",
    needs=["agents", "blocks", "archival", "messages", "restart"],
    because="agents 'gone' after an update, for the server looked at another volume: letta-ai/letta#2354, #2592",
)
def test_restart_keeps_agents_blocks_passages_and_messages(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger, letta_stack: Stack
) -> None:
    """Every agent, block, passage and message of before a restart is there after it."""
    sentinels = planted(letta_client, make_letta_agent, letta_ledger.name())
    agents_before = agent_count(letta_client)

    letta_stack.restart("letta")

    seen = f"The server counts {agent_count(letta_client)} agents; before the restart it was {agents_before}."
    must(_loss(sentinels, missing(letta_client, sentinels), seen))


def _loss(sentinels: Sentinels, missing: list[str], seen: str) -> str | None:
    """Tell rows that were lost from a server that looks at a different database; ``None`` when all is there."""
    if not missing:
        return None
    if len(missing) == len(sentinels):
        return (
            f"none of the {len(sentinels)} sentinels is there after the restart: the server looks at a different "
            f"or an emptied database. {seen} Compare its database URI and volume with those of before."
        )
    return f"rows were lost: {told(sentinels, missing)} gone after the restart, while the others are there. {seen}"
