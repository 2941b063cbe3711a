"""Recreate: memory is on a volume, not in the containers, and is used again by new ones."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import contains, same_sequence
from pytest_letta.llm import say
from pytest_letta.telling import answered

from .keepsakes import FACT, HERON, memory_of

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.settings import Settings
    from pytest_letta.stack.stack import Stack


@pytest.mark.parametrize("service", ["letta", "postgres"])
@contract(
    "MEM-RECREATE-001",
    needs=["core_memory", "archival", "messages", "recreate"],
    because="agents gone after an update: the data were in the container, or on another path: "
    "letta-ai/letta#2354, #2592",
)
def test_memory_outlives_the_container(
    letta_agent: Agent, letta_stack: Stack, letta_settings: Settings, service: str
) -> None:
    """After a new container of the server, or of its database, agent, blocks, passages and history are unchanged."""
    if service not in letta_stack.services:
        not_applicable(f"this stack has no {service}")
    letta_agent.edit_block("human", FACT)
    letta_agent.insert_passage(HERON, tags=["birds"])
    letta_agent.send("Stand watch.")
    before = memory_of(letta_agent)

    letta_stack.recreate(service)

    _wait_for(letta_agent, 2 * letta_settings.timeout)
    after = memory_of(letta_agent)
    for part, lines in before.items():
        must(same_sequence(lines, after[part], f"{part} after a new container of {service}"))


@contract(
    "MEM-RECREATE-002",
    needs=["core_memory", "messages", "llm", "recreate"],
    because="`docker compose down` and `up` is how stacks are updated; what is in the rows may still be forgotten",
)
def test_model_remembers_when_all_containers_are_new(
    letta_agent: Agent, letta_llm: ModelControl, letta_stack: Stack
) -> None:
    """After new containers of database, Redis and server the next prompt holds the edited block and earlier turns."""
    letta_agent.send(letta_llm.script(say("Answer number one.")).prompt("Question number one."))
    letta_agent.edit_block("human", FACT)

    for service in ("postgres", "redis", "letta"):
        if service in letta_stack.services:
            letta_stack.recreate(service)
    script = letta_llm.script(say("Answer number two."))
    letta_agent.send(script.prompt("Question number two."))

    prompt = json.dumps(letta_llm.requests(script)[-1].body["messages"])
    for told in (FACT, "Question number one.", "Answer number one.", "Question number two."):
        must(contains(prompt, told, "first prompt of the new containers"))


def _wait_for(agent: Agent, limit_s: float) -> None:
    """Wait until the agent is read: a server that kept its connections finds them dead when it uses them."""
    started = time.monotonic()
    while True:
        try:
            answer = agent.client.get(agent.path)
            if answer.is_success:
                return
            seen = answered(answer)
        except httpx.TransportError as error:
            seen = repr(error)
        waited_s = time.monotonic() - started
        must(f"{waited_s:.0f} s after the new container was healthy, {seen}" if waited_s > limit_s else None)
        time.sleep(0.5)
