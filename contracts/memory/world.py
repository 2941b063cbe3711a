"""Operations on a few agents, each done to the server and to the reference model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_letta import must
from pytest_letta.conformance.checks import status
from pytest_letta.llm import call_tool, say
from pytest_letta.oracle import Agent, Block, Message, Passage
from pytest_letta.streaming import wait_for_run

from .shown import Shown

#: How a message is sent.
MODES = ("sync", "steps", "tokens", "background", "async")
_RUN_LIMIT_S = 20.0


class World(Shown):
    """Every method does one operation to the server and to the model, and fails where the server refuses it."""

    # --- agents ----------------------------------------------------------------------------------------------

    def create_agent(self, blocks: dict[str, str]) -> str:
        sent = [{"label": label, "value": value} for label, value in blocks.items()]
        made = self.maker(memory_blocks=sent, tags=[self.tag])
        state = made.state
        held = {block["id"]: Block(block["label"], blocks[block["label"]]) for block in state["memory"]["blocks"]}
        self.memory = self.memory.with_agent(made.id, Agent(state["name"], tags=frozenset(state["tags"])), held)
        self.memory = self.memory.modify(made.id, description=state["description"])
        self.touched.add(made.id)
        return made.id

    def modify(self, agent: str, **fields: Any) -> None:
        sent = dict(fields)
        if "tags" in fields:
            fields["tags"] = self.memory.agents[agent].tags & frozenset([*self.tools.ledger.tags, self.tag])
            fields["tags"] |= frozenset(sent["tags"])
            sent["tags"] = sorted(fields["tags"])
        self.done(self.tools.client.patch(f"/v1/agents/{agent}", json=sent))
        self.memory = self.memory.modify(agent, **fields)

    def copy(self, agent: str) -> str:
        """Export an agent and import the file."""
        exported = self.tools.client.get(f"/v1/agents/{agent}/export")
        self.done(exported)
        file = {"file": ("agent.af", exported.content, "application/json")}
        name = self.tools.ledger.name()
        imported = self.tools.client.post("/v1/agents/import", files=file, data={"override_name": name})
        (id,) = self.done(imported)["agent_ids"]
        self.tools.ledger.enter(f"/v1/agents/{id}")
        self.inherit_staleness(agent, id)
        state = self.get(f"/v1/agents/{id}")
        blocks = {block["label"]: block["id"] for block in state["memory"]["blocks"]}
        for block in blocks.values():
            self.tools.ledger.enter(f"/v1/blocks/{block}")
        must(None if set(blocks) >= set(self.memory.blocks_of(agent)) else f"the copy {id} of {agent} lacks blocks")
        self.memory = self.memory.copy_agent(agent, id, blocks, name=name)
        self.touched.add(id)
        return str(id)

    def delete_agent(self, agent: str) -> None:
        self.maker.note_archives(agent)
        self.done(self.tools.client.delete(f"/v1/agents/{agent}"))
        self.memory = self.memory.delete_agent(agent)
        answer = self.tools.client.get(f"/v1/agents/{agent}")
        must(status(answer, 404))

    # --- blocks ----------------------------------------------------------------------------------------------

    def edit_block(self, agent: str, label: str, value: str, *, by_id: bool) -> None:
        block = self.memory.block_id(agent, label)
        path = f"/v1/blocks/{block}" if by_id else f"/v1/agents/{agent}/core-memory/blocks/{label}"
        self.done(self.tools.client.patch(path, json={"value": value}))
        self.memory = self.memory.edit_block(block, value=value)
        if by_id:
            self.may_be_stale("MEM-PROMPT-001[block-route]", *self.memory.holders(block))
        else:
            self.may_be_stale("MEM-SHARED-001[by-label]", *self._others(block, agent))

    def add_block(self, label: str, value: str) -> str:
        made = self.done(self.tools.client.post("/v1/blocks/", json={"label": label, "value": value}))
        id = str(made["id"])
        self.tools.ledger.enter(f"/v1/blocks/{id}")
        self.memory = self.memory.with_block(id, Block(label, value))
        return id

    def attach(self, agent: str, block: str) -> None:
        self.done(self.tools.client.patch(f"/v1/agents/{agent}/core-memory/blocks/attach/{block}"))
        self.memory = self.memory.attach(agent, block)
        self.may_be_stale("MEM-PROMPT-003", agent)

    def detach(self, agent: str, block: str) -> None:
        self.done(self.tools.client.patch(f"/v1/agents/{agent}/core-memory/blocks/detach/{block}"))
        self.memory = self.memory.detach(agent, block)
        self.may_be_stale("MEM-PROMPT-004[detached]", agent)

    def delete_block(self, block: str) -> None:
        holders = self.memory.holders(block)
        self.done(self.tools.client.delete(f"/v1/blocks/{block}"), 200, 204)
        self.memory = self.memory.delete_block(block)
        self.may_be_stale("MEM-PROMPT-004[deleted]", *holders)

    # --- passages --------------------------------------------------------------------------------------------

    def insert_passage(self, agent: str, text: str, tags: Sequence[str]) -> None:
        body = {"text": text, "tags": list(tags)}
        (made,) = self.done(self.tools.client.post(f"/v1/agents/{agent}/archival-memory", json=body))
        self.memory = self.memory.with_passage(agent, made["id"], Passage(text, frozenset(tags)))
        self.touched.add(agent)

    def delete_passage(self, agent: str, passage: str) -> None:
        self.done(self.tools.client.delete(f"/v1/agents/{agent}/archival-memory/{passage}"))
        self.memory = self.memory.delete_passage(agent, passage)
        self.touched.add(agent)

    def search(self, agent: str, passage: str) -> None:
        """Search for a passage by its own words: nothing of the agent's is nearer."""
        text = self.memory.agents[agent].passages[passage].text
        answer = self.get(f"/v1/agents/{agent}/archival-memory/search", query=text, top_k=50)
        found = [one["content"] for one in answer["results"]]
        must(None if text in found else f"search for the words of {passage} does not find it, but {found[:3]}")

    # --- turns -----------------------------------------------------------------------------------------------

    def send(self, agent: str, text: str, *, mode: str = "sync") -> None:
        """Have a turn, and check the prompt that the model gets for it."""
        self.settle(agent)
        script = self.tools.llm.script(say(f"Heard: {text}"))
        sent = script.prompt(text)
        self.turn(agent, sent, mode)
        self.check_prompt(agent, script)
        said = (Message("user_message", sent), answer(f"Heard: {text}"))
        self.memory = self.memory.say(agent, *said)
        self.touched.add(agent)

    def edit_by_model(self, agent: str, label: str, line: str, *, mode: str = "sync") -> None:
        """Have a turn in which the model adds a line to a block with its own tool."""
        self.settle(agent)
        tool = call_tool("memory_insert", {"label": label, "new_string": line})
        script = self.tools.llm.script(tool, say("Remembered."))
        sent = script.prompt("Remember this.")
        self.turn(agent, sent, mode)
        block = self.memory.block_id(agent, label)
        self.memory = self.memory.insert_into_block(block, line)
        self.memory = self.memory.say(agent, *tool_turn(sent, "memory_insert"), answer("Remembered."))
        self.may_be_stale("MEM-SHARED-001[by-model]", *self._others(block, agent))
        self.touched.add(agent)

    def turn(self, agent: str, text: str, mode: str) -> None:
        """Send a message in one of MODES and wait until the turn has ended well."""
        client = self.tools.client
        body = {"messages": [{"role": "user", "content": text}]}
        if mode == "sync":
            self.done(client.post(f"/v1/agents/{agent}/messages", json=body))
        elif mode == "async":
            run = self.done(client.post(f"/v1/agents/{agent}/messages/async", json=body))["id"]
            now = wait_for_run(client, run, limit_s=_RUN_LIMIT_S)["status"]
            must(
                None
                if now == "completed"
                else f"the run {run} of a message is {now} after {_RUN_LIMIT_S:.0f} s at most"
            )
        else:
            body |= {"stream_tokens": mode == "tokens", "background": mode == "background"}  # type: ignore[dict-item]
            with client.stream("POST", f"/v1/agents/{agent}/messages/stream", json=body) as stream:
                told = stream.read()
                must(status(stream))
            must(None if b"[DONE]" in told else f"the stream of a message ended without [DONE]: {told[-200:]!r}")

    def check_prompts(self) -> None:
        """Have each agent's model tell which prompt it gets."""
        for agent in list(self.memory.agents):
            self.send(agent, "What do you know?")

    def _others(self, block: str, agent: str) -> list[str]:
        return [holder for holder in self.memory.holders(block) if holder != agent]


def answer(text: str) -> Message:
    """Return the message in which the model says `text`."""
    return Message("assistant_message", text)


def tool_turn(sent: str, tool: str) -> tuple[Message, ...]:
    """Return the messages of a step in which the model calls a tool."""
    call = (Message("tool_call_message", tool), Message("tool_return_message", "success"))
    return (Message("user_message", sent), *call)
