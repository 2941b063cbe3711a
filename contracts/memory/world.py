"""A few agents on the server and the same in the reference model: each operation is done to both."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx

from pytest_letta import must
from pytest_letta.conformance.checks import status
from pytest_letta.conformance.memory import (
    agent_differences,
    message_differences,
    passage_differences,
    prompt_differences,
)
from pytest_letta.llm import call_tool, say
from pytest_letta.oracle import Agent, Block, Memory, Message, Passage

if TYPE_CHECKING:
    from pytest_letta.agent import AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.llm.control import Script
    from pytest_letta.ownership import Ledger
    from pytest_letta.stack.stack import Stack

#: How a message is sent.
MODES = ("sync", "steps", "tokens", "background", "async")
_RUN_LIMIT_S = 20.0
_ENDED = ("completed", "failed", "cancelled", "expired")


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


class World:
    """The server as `Tools` reach it, and what it should remember: `memory`.

    Every method does one operation to both and leaves the server up. `restarts` counts what ended a service.
    """

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        if not tools.keep:
            tools.ledger.clear(tools.client)  # of the world before
        self.memory = Memory()
        self.restarts = 0
        self._maker = tools.make_agent()
        self._tag = tools.ledger.name()
        self._marks = count(1)
        self._touched: set[str] = set()
        self._unsettled: set[str] = set()

    def leave(self) -> None:
        """Have everything removed when the next world begins, or the test ends: a failure is looked at before."""
        self._maker.note_archives(*self.memory.agents)

    def marked(self, text: str) -> str:
        """Return a text that no other in this world holds."""
        return f"<<{next(self._marks)}>>{text}"

    # --- agents ----------------------------------------------------------------------------------------------

    def create_agent(self, blocks: dict[str, str]) -> str:
        sent = [{"label": label, "value": value} for label, value in blocks.items()]
        made = self._maker(memory_blocks=sent, tags=[self._tag])
        state = made.state
        held = {block["id"]: Block(block["label"], blocks[block["label"]]) for block in state["memory"]["blocks"]}
        self.memory = self.memory.with_agent(made.id, Agent(state["name"], tags=frozenset(state["tags"])), held)
        self.memory = self.memory.modify(made.id, description=state["description"])
        self._touched.add(made.id)
        return made.id

    def modify(self, agent: str, **fields: Any) -> None:
        sent = dict(fields)
        if "tags" in fields:
            fields["tags"] = self.memory.agents[agent].tags & frozenset([*self.tools.ledger.tags, self._tag])
            fields["tags"] |= frozenset(sent["tags"])
            sent["tags"] = sorted(fields["tags"])
        self._done(self.tools.client.patch(f"/v1/agents/{agent}", json=sent))
        self.memory = self.memory.modify(agent, **fields)

    def copy(self, agent: str) -> str:
        """Export an agent and import the file."""
        exported = self.tools.client.get(f"/v1/agents/{agent}/export")
        self._done(exported)
        file = {"file": ("agent.af", exported.content, "application/json")}
        name = self.tools.ledger.name()
        answer = self.tools.client.post("/v1/agents/import", files=file, data={"override_name": name})
        self._done(answer)
        (id,) = answer.json()["agent_ids"]
        self.tools.ledger.enter(f"/v1/agents/{id}")
        if agent in self._unsettled:
            self._unsettled.add(id)  # the file holds the prompt as it is
        state = self.get(f"/v1/agents/{id}")
        blocks = {block["label"]: block["id"] for block in state["memory"]["blocks"]}
        for block in blocks.values():
            self.tools.ledger.enter(f"/v1/blocks/{block}")
        must(None if set(blocks) >= set(self.memory.blocks_of(agent)) else f"the copy {id} of {agent} lacks blocks")
        self.memory = self.memory.copy_agent(agent, id, blocks, name=name)
        self._touched.add(id)
        return str(id)

    def delete_agent(self, agent: str) -> None:
        self._maker.note_archives(agent)
        self._done(self.tools.client.delete(f"/v1/agents/{agent}"))
        self.memory = self.memory.delete_agent(agent)
        self._unsettled.discard(agent)
        answer = self.tools.client.get(f"/v1/agents/{agent}")
        must(status(answer, 404))

    # --- blocks ----------------------------------------------------------------------------------------------

    def edit_block(self, agent: str, label: str, value: str, *, by_id: bool) -> None:
        block = self.memory.block_id(agent, label)
        path = f"/v1/blocks/{block}" if by_id else f"/v1/agents/{agent}/core-memory/blocks/{label}"
        self._done(self.tools.client.patch(path, json={"value": value}))
        self.memory = self.memory.edit_block(block, value=value)
        if by_id:
            self._may_be_stale("MEM-PROMPT-001[block-route]", *self.memory.holders(block))
        else:
            self._may_be_stale("MEM-SHARED-001[by-label]", *self._others(block, agent))

    def add_block(self, label: str, value: str) -> str:
        answer = self.tools.client.post("/v1/blocks/", json={"label": label, "value": value})
        self._done(answer)
        id = str(answer.json()["id"])
        self.tools.ledger.enter(f"/v1/blocks/{id}")
        self.memory = self.memory.with_block(id, Block(label, value))
        return id

    def attach(self, agent: str, block: str) -> None:
        self._done(self.tools.client.patch(f"/v1/agents/{agent}/core-memory/blocks/attach/{block}"))
        self.memory = self.memory.attach(agent, block)
        self._may_be_stale("MEM-PROMPT-003", agent)

    def detach(self, agent: str, block: str) -> None:
        self._done(self.tools.client.patch(f"/v1/agents/{agent}/core-memory/blocks/detach/{block}"))
        self.memory = self.memory.detach(agent, block)
        self._may_be_stale("MEM-PROMPT-004[detached]", agent)

    def delete_block(self, block: str) -> None:
        holders = self.memory.holders(block)
        self._done(self.tools.client.delete(f"/v1/blocks/{block}"), 200, 204)
        self.memory = self.memory.delete_block(block)
        self._may_be_stale("MEM-PROMPT-004[deleted]", *holders)

    # --- passages --------------------------------------------------------------------------------------------

    def insert_passage(self, agent: str, text: str, tags: Sequence[str]) -> None:
        body = {"text": text, "tags": list(tags)}
        answer = self.tools.client.post(f"/v1/agents/{agent}/archival-memory", json=body)
        self._done(answer)
        self.memory = self.memory.with_passage(agent, answer.json()[0]["id"], Passage(text, frozenset(tags)))
        self._touched.add(agent)

    def delete_passage(self, agent: str, passage: str) -> None:
        self._done(self.tools.client.delete(f"/v1/agents/{agent}/archival-memory/{passage}"))
        self.memory = self.memory.delete_passage(agent, passage)
        self._touched.add(agent)

    def search(self, agent: str, passage: str) -> None:
        """Search for a passage by its own words: nothing of the agent's is nearer."""
        text = self.memory.agents[agent].passages[passage].text
        query = {"query": text, "top_k": 50}
        answer = self.tools.client.get(f"/v1/agents/{agent}/archival-memory/search", params=query)
        self._done(answer)
        found = [one["content"] for one in answer.json()["results"]]
        must(None if text in found else f"search for the words of {passage} does not find it, but {found[:3]}")

    # --- turns -----------------------------------------------------------------------------------------------

    def send(self, agent: str, text: str, *, mode: str = "sync") -> None:
        """Have a turn, and check the prompt that the model gets for it."""
        self.settle(agent)
        script = self.tools.llm.script(say(f"Heard: {text}"))
        sent = script.prompt(text)
        self.turn(agent, sent, mode)
        self._check_prompt(agent, script)
        said = (Message("user_message", sent), Message("assistant_message", f"Heard: {text}"))
        self.memory = self.memory.say(agent, *said)
        self._touched.add(agent)

    def edit_by_model(self, agent: str, label: str, line: str, *, mode: str = "sync") -> None:
        """Have a turn in which the model adds a line to a block with its own tool."""
        self.settle(agent)
        tool = call_tool("memory_insert", {"label": label, "new_string": line})
        script = self.tools.llm.script(tool, say("Remembered."))
        sent = script.prompt("Remember this.")
        self.turn(agent, sent, mode)
        block = self.memory.block_id(agent, label)
        self.memory = self.memory.insert_into_block(block, line)
        self.memory = self.memory.say(agent, *tool_turn(sent, "memory_insert"), _answer("Remembered."))
        self._may_be_stale("MEM-SHARED-001[by-model]", *self._others(block, agent))
        self._touched.add(agent)

    def turn(self, agent: str, text: str, mode: str) -> None:
        """Send a message in one of MODES and wait until the turn has ended well."""
        client = self.tools.client
        body = {"messages": [{"role": "user", "content": text}]}
        if mode == "sync":
            self._done(client.post(f"/v1/agents/{agent}/messages", json=body))
        elif mode == "async":
            answer = client.post(f"/v1/agents/{agent}/messages/async", json=body)
            self._done(answer)
            ended = self._end_of_run(answer.json()["id"])
            must(None if ended == "completed" else f"the run {answer.json()['id']} of a message ended as {ended}")
        else:
            body |= {"stream_tokens": mode == "tokens", "background": mode == "background"}  # type: ignore[dict-item]
            with client.stream("POST", f"/v1/agents/{agent}/messages/stream", json=body) as stream:
                told = stream.read()
                must(status(stream))
            must(None if b"[DONE]" in told else f"the stream of a message ended without [DONE]: {told[-200:]!r}")

    # --- what is checked -------------------------------------------------------------------------------------

    def check(self, *, everything: bool = False) -> None:
        """Compare the server with the model: all agents, and the passages and messages of those that were used."""
        used = set(self.memory.agents) if everything else self._touched & set(self.memory.agents)
        must("\n".join(self.differences(self.memory, used)) or None)
        self._touched.clear()

    def differences(self, memory: Memory, used: set[str]) -> list[str]:
        """Return in what the server differs from `memory`; of the agents in `used`, passages and messages too."""
        query = {"tags": self._tag, "limit": 100}
        shown = {one["id"]: one for one in self.get("/v1/agents/", **query)}
        copies = set(memory.agents) - set(shown)
        shown |= {id: self.get(f"/v1/agents/{id}") for id in copies}
        found: list[str] = []
        for id in sorted(memory.agents):
            found += agent_differences(memory, id, shown[id])
        for id in sorted(used):
            passages = self.get(f"/v1/agents/{id}/archival-memory", limit=1000, ascending="true")
            found += passage_differences(memory, id, passages)
            found += message_differences(memory, id, self.get(f"/v1/agents/{id}/messages", limit=1000, order="asc"))
        return found

    def check_prompts(self) -> None:
        """Have each agent's model tell which prompt it gets."""
        for agent in list(self.memory.agents):
            self.send(agent, "What do you know?")

    def _check_prompt(self, agent: str, script: Script) -> None:
        prompt = self.tools.llm.last_system_prompt(script)
        must("\n".join(prompt_differences(self.memory, agent, prompt)) or None)

    def _may_be_stale(self, contract: str, *agents: str) -> None:
        """Note agents whose prompt this server is known not to bring up to date after what was just done."""
        if contract in self.tools.known:
            self._unsettled.update(agents)

    def _others(self, block: str, agent: str) -> list[str]:
        return [holder for holder in self.memory.holders(block) if holder != agent]

    def settle(self, agent: str) -> None:
        """Bring the prompt of an agent up to date, where this server is known not to do it by itself."""
        if agent in self._unsettled:
            self._done(self.tools.client.post(f"/v1/agents/{agent}/recompile"))
            self._unsettled.discard(agent)

    # --- how it is done --------------------------------------------------------------------------------------

    def _done(self, answer: httpx.Response, *allowed: int) -> None:
        must(status(answer, *allowed))

    def get(self, path: str, **query: Any) -> Any:
        """Return what the server answers to a read, which must succeed."""
        answer = self.tools.client.get(path, params=query)
        must(status(answer))
        return answer.json()

    def _end_of_run(self, run: str) -> str:
        deadline = time.monotonic() + _RUN_LIMIT_S
        while True:
            now = str(self.get(f"/v1/runs/{run}")["status"])
            if now in _ENDED:
                return now
            late = f"run {run} is still {now} after {_RUN_LIMIT_S:.0f} s"
            must(late if time.monotonic() > deadline else None)
            time.sleep(0.05)


def _answer(text: str) -> Message:
    return Message("assistant_message", text)


def tool_turn(sent: str, tool: str) -> tuple[Message, ...]:
    """Return the messages of a step in which the model calls a tool."""
    call = (Message("tool_call_message", tool), Message("tool_return_message", "success"))
    return (Message("user_message", sent), *call)
