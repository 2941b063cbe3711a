"""Sentinels: a restart must not leave the server with fewer agents, or with another database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_letta import contract, could_not_run, must

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import AgentMaker
    from pytest_letta.ownership import Ledger
    from pytest_letta.stack.stack import Stack

#: What to look for, by what a person calls it: where it is seen, and the id to be found there.
_Sentinels = Mapping[str, tuple[str, str]]


@contract(
    "MEM-SENTINEL-001",
    needs=["agents", "blocks", "archival", "messages", "restart"],
    because="agents 'gone' after an update, for the server looked at another volume: letta-ai/letta#2354, #2592",
)
def test_restart_keeps_agents_blocks_passages_and_messages(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger, letta_stack: Stack
) -> None:
    """Every agent, block, passage and message of before a restart is there after it."""
    tag = letta_ledger.name()
    sentinels: dict[str, tuple[str, str]] = {}
    for number in (1, 2):
        agent = make_letta_agent(tags=[tag], memory_blocks=[{"label": "human", "value": f"Sentinel {number}."}])
        agent.send("Stand watch.")
        message = agent.messages(limit=1)[-1]
        sentinels |= {
            f"agent {number}": (f"/v1/agents/?tags={tag}&limit=10", agent.id),
            f"block of agent {number}": (f"{agent.path}/core-memory/blocks", agent.block("human")["id"]),
            f"passage of agent {number}": (f"{agent.path}/archival-memory", agent.insert_passage("Sentinel.")["id"]),
            f"message of agent {number}": (f"{agent.path}/messages", message["id"]),
        }
    absent = _missing(letta_client, sentinels)
    if absent:
        could_not_run(f"not all sentinels can be seen before the restart: {', '.join(absent)}")
    agents_before = _agent_count(letta_client)

    letta_stack.restart("letta")

    seen = f"The server counts {_agent_count(letta_client)} agents; before the restart it was {agents_before}."
    must(_loss(sentinels, _missing(letta_client, sentinels), seen))


def _missing(client: httpx.Client, sentinels: _Sentinels) -> list[str]:
    answers = {name: (client.get(path), id) for name, (path, id) in sentinels.items()}
    return [name for name, (answer, id) in answers.items() if not answer.is_success or id not in answer.text]


def _loss(sentinels: _Sentinels, missing: list[str], seen: str) -> str | None:
    """Tell rows that were lost from a server that looks at a different database; ``None`` when all is there."""
    if not missing:
        return None
    if len(missing) == len(sentinels):
        return (
            f"none of the {len(sentinels)} sentinels is there after the restart: the server looks at a different "
            f"or an emptied database. {seen} Compare its database URI and volume with those of before."
        )
    ids = ", ".join(f"{name} ({sentinels[name][1]})" for name in missing)
    return f"rows were lost: {ids} gone after the restart, while the others are there. {seen}"


def _agent_count(client: httpx.Client) -> str:
    answer = client.get("/v1/agents/count")
    return answer.text if answer.is_success else f"(/v1/agents/count answered {answer.status_code})"
