"""What the server shows of some agents, against the reference model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from pytest_letta import must
from pytest_letta.conformance.checks import status
from pytest_letta.conformance.memory import (
    agent_differences,
    message_differences,
    passage_differences,
    prompt_differences,
)
from pytest_letta.oracle import Memory

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.llm.control import Script
    from pytest_letta.ownership import Ledger
    from pytest_letta.stack.stack import Stack


@dataclass
class Tools:
    """What a world works with; `known` are the contracts that this server is known to break."""

    client: httpx.Client
    make_agent: Callable[[], AgentMaker]
    ledger: Ledger
    llm: ModelControl
    stack: Stack
    known: frozenset[str]
    keep: bool = False


class Shown:
    """The server as `Tools` reach it, and what it should show: `memory`.

    `touched` are the agents whose passages or messages may have changed since the last check.
    """

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        if not tools.keep:
            tools.ledger.clear(tools.client)  # of the world before
        self.memory = Memory()
        self.maker = tools.make_agent()
        self.tag = tools.ledger.name()
        self.touched: set[str] = set()
        self._unsettled: set[str] = set()
        self._marks = count(1)

    def leave(self) -> None:
        """Have everything removed when the next world begins, or the test ends: a failure is looked at before."""
        self.maker.note_archives(*self.memory.agents)

    def marked(self, text: str) -> str:
        """Return a text that no other in this world holds."""
        return f"<<{next(self._marks)}>>{text}"

    def done(self, answer: httpx.Response, *allowed: int) -> Any:
        """Return the JSON of an answer that must tell of success, ``None`` where it has no body."""
        must(status(answer, *allowed))
        return answer.json() if answer.content else None

    def get(self, path: str, **query: Any) -> Any:
        """Return what the server answers to a read, which must succeed."""
        return self.done(self.tools.client.get(path, params=query))

    def check(self, *, everything: bool = False) -> None:
        """Compare the server with the model: all agents, and the passages and messages of those that were used."""
        used = set(self.memory.agents) if everything else self.touched & set(self.memory.agents)
        must("\n".join(self.differences(self.memory, used)) or None)
        self.touched.clear()

    def differences(self, memory: Memory, used: set[str]) -> list[str]:
        """Return in what the server differs from `memory`; of the agents in `used`, passages and messages too."""
        shown = {one["id"]: one for one in self.get("/v1/agents/", tags=self.tag, limit=100)}
        found = [f"{id} is listed, and was deleted or never made" for id in sorted(set(shown) - set(memory.agents))]
        for id in sorted(memory.agents):
            found += agent_differences(memory, id, shown.get(id) or self.get(f"/v1/agents/{id}"))
        for id in sorted(used):
            passages = self.get(f"/v1/agents/{id}/archival-memory", limit=1000, ascending="true")
            found += passage_differences(memory, id, passages)
            found += message_differences(memory, id, self.get(f"/v1/agents/{id}/messages", limit=1000, order="asc"))
        return found

    def check_prompt(self, agent: str, script: Script) -> None:
        """Compare the blocks of an agent with the prompt that its model got last."""
        prompt = self.tools.llm.last_system_prompt(script)
        must("\n".join(prompt_differences(self.memory, agent, prompt)) or None)

    def may_be_stale(self, contract: str, *agents: str) -> None:
        """Note agents whose prompt this server is known not to bring up to date after what was just done."""
        if contract in self.tools.known:
            self._unsettled.update(agents)

    def inherit_staleness(self, agent: str, copy: str) -> None:
        """Note that the prompt of a `copy` is as stale as that of the original: the agent file holds it as it is."""
        if agent in self._unsettled:
            self._unsettled.add(copy)

    def settle(self, agent: str) -> None:
        """Bring the prompt of an agent up to date, where this server is known not to do it by itself."""
        if agent in self._unsettled:
            self.done(self.tools.client.post(f"/v1/agents/{agent}/recompile"))
            self._unsettled.discard(agent)
