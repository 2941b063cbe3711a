"""What agents remember, as a person would check it after a move: all of it, and that they go on from there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_letta import must
from pytest_letta.conformance.checks import contains, equal, same_sequence, status
from pytest_letta.llm import say

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.ownership import Ledger

FACT = "Moved to Lisbon in spring."
HERON = "The grey heron nests on the pylon behind the mill."
GRANITE = "Granite consists of feldspar, quartz and mica."
#: What no two answers have in common though nothing changed: the vector of a passage is of no use to a person.
_UNSEEN = frozenset({"embedding"})

Memory = dict[str, list[str]]


def memory_of(agent: Agent) -> Memory:
    """Return all that the agent remembers, one line for each thing."""
    parts = {
        "agent": [{field: value} for field, value in sorted(got(agent.client, agent.path).items())],
        "blocks": got(agent.client, f"{agent.path}/core-memory/blocks"),
        "passages": got(agent.client, f"{agent.path}/archival-memory?limit=100"),
        "history": got(agent.client, f"{agent.path}/messages?limit=100"),
    }
    lines = {part: [json.dumps(_settled(one), sort_keys=True) for one in rows] for part, rows in parts.items()}
    return {**lines, "blocks": sorted(lines["blocks"])}


def _settled(value: Any) -> Any:
    """Return `value` with what hangs on an agent, such as its tools, in one order: the database keeps none."""
    if isinstance(value, dict):
        kept = {field: _settled(one) for field, one in value.items() if field not in _UNSEEN}
        return {**kept, **({"tags": sorted(kept["tags"])} if isinstance(kept.get("tags"), list) else {})}
    if isinstance(value, list):
        rows = [_settled(one) for one in value]
        return sorted(rows, key=str) if any(isinstance(one, dict) and "id" in one for one in rows) else rows
    return value


def got(client: httpx.Client, path: str) -> Any:
    """Return what GET answers with success."""
    answer = client.get(path)
    must(status(answer))
    return answer.json()


class Keepsakes:
    """Two agents that share a block: edited blocks, passages with tags, a turn, and what they remembered then."""

    def __init__(self, make_agent: AgentMaker, client: httpx.Client, ledger: Ledger, llm: ModelControl) -> None:
        self._llm = llm
        shared = client.post("/v1/blocks/", json={"label": ledger.name(), "value": "Known to both."})
        must(status(shared))
        ledger.enter(f"/v1/blocks/{shared.json()['id']}")
        own = {"memory_blocks": [{"label": "human", "value": "Name unknown."}], "block_ids": [shared.json()["id"]]}
        self.agents = [make_agent(tags=["keepsake"], **own) for _ in range(2)]
        first, second = self.agents
        first.insert_passage(HERON, tags=["birds"])
        first.insert_passage(GRANITE)
        second.insert_passage("Only the other agent knows of the tram.")
        first.send(llm.script(say("Answer number one.")).prompt("Question number one."))
        first.edit_block("human", FACT)
        self.before = [memory_of(agent) for agent in self.agents]

    def must_be_at(self, client: httpx.Client, where: str) -> None:
        """Fail when the server of `client` has less, more or other than there was, or does not find it."""
        for agent, before in zip(self.agents, self.before, strict=True):
            after = memory_of(agent.at(client))
            for part, lines in before.items():
                must(same_sequence(lines, after[part], f"{part} {where}"))
        for text in (HERON, GRANITE):
            found = [one.get("content") for one in self.agents[0].at(client).search_passages(text)]
            must(equal([text], found[:1], f"first result of the search for {text!r} {where}"))

    def must_go_on_at(self, client: httpx.Client, where: str) -> None:
        """Fail when the next turn there does not follow the earlier ones, in the prompt and in the history."""
        agent = self.agents[0].at(client)
        before = [message["id"] for message in agent.messages()]

        script = self._llm.script(say("Answer number two."))
        agent.send(script.prompt("Question number two."))

        prompt = json.dumps(self._llm.requests(script)[-1].body["messages"])
        for told in (FACT, "Known to both.", "Question number one.", "Answer number one.", "Question number two."):
            must(contains(prompt, told, f"next prompt {where}"))
        after = agent.messages()
        must(same_sequence(before, [message["id"] for message in after][: len(before)], f"earlier history {where}"))
        must(contains(str(after[len(before) :]), "Answer number two.", f"what follows the history {where}"))
