"""Sentinels: an agent, block, passage and message twice over, by which a loss is noticed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_letta import could_not_run

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import AgentMaker

#: What to look for, by what a person calls it: where it is seen, and the id to be found there.
Sentinels = Mapping[str, tuple[str, str]]


def planted(client: httpx.Client, make_agent: AgentMaker, tag: str) -> Sentinels:
    """Make the sentinels and see that all of them are there."""
    sentinels: dict[str, tuple[str, str]] = {}
    for number in (1, 2):
        agent = make_agent(tags=[tag], memory_blocks=[{"label": "human", "value": f"Sentinel {number}."}])
        agent.send("Stand watch.")
        message = agent.messages(limit=1)[-1]
        sentinels |= {
            f"agent {number}": (f"/v1/agents/?tags={tag}&limit=10", agent.id),
            f"block of agent {number}": (f"{agent.path}/core-memory/blocks", agent.block("human")["id"]),
            f"passage of agent {number}": (f"{agent.path}/archival-memory", agent.insert_passage("Sentinel.")["id"]),
            f"message of agent {number}": (f"{agent.path}/messages", message["id"]),
        }
    absent = missing(client, sentinels)
    if absent:
        could_not_run(f"not all sentinels can be seen before the restart: {', '.join(absent)}")
    return sentinels


def missing(client: httpx.Client, sentinels: Sentinels) -> list[str]:
    """Return the names of those that are not there."""
    answers = {name: (client.get(path), id) for name, (path, id) in sentinels.items()}
    return [name for name, (answer, id) in answers.items() if not answer.is_success or id not in answer.text]


def told(sentinels: Sentinels, names: list[str]) -> str:
    """Return names with their ids, for a person to look up."""
    return ", ".join(f"{name} ({sentinels[name][1]})" for name in names)


def agent_count(client: httpx.Client) -> str:
    """Return how many agents the server counts, or how it refused to tell."""
    answer = client.get("/v1/agents/count")
    return answer.text if answer.is_success else f"(/v1/agents/count answered {answer.status_code})"
