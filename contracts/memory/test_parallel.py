"""Parallel writers: whatever was acknowledged is not lost."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, status
from pytest_letta.llm import say
from pytest_letta.telling import answered

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl

_WRITERS = 8
_SPEAKERS = 4
#: So long each answer of the model is held back, that all turns are under way together.
_HOLD_S = 0.5


@contract(
    "MEM-PARALLEL-001",
    needs=["core_memory"],
    because="parallel edits gave 500 and lost acknowledged values: letta-ai/letta commits 665447351, 0dd1df306",
)
def test_parallel_edits_of_a_block_end_in_one_that_was_acknowledged(letta_agent: Agent) -> None:
    """Parallel edits of one block answer 200 or 409, and the block then holds a value that was acknowledged."""

    def edit(value: str) -> httpx.Response:
        return letta_agent.client.patch(f"{letta_agent.path}/core-memory/blocks/human", json={"value": value})

    values = [f"Written by number {n}." for n in range(_WRITERS)]
    with ThreadPoolExecutor(_WRITERS) as pool:
        answers = list(pool.map(edit, values))

    for answer in answers:
        must(status(answer, 200, 409))
    acknowledged = [value for value, answer in zip(values, answers, strict=True) if answer.status_code == 200]
    must(None if acknowledged else f"none of {_WRITERS} parallel edits was accepted: {answered(answers[0])}")
    must(contains(acknowledged, letta_agent.block("human")["value"], "acknowledged values against the final one"))


@contract(
    "MEM-PARALLEL-002",
    needs=["messages", "llm"],
    because="an agent that is written to from two places at once forgets what it answered",
)
def test_parallel_turns_all_stay_in_context(letta_agent: Agent, letta_llm: ModelControl) -> None:
    """Messages that are sent to one agent at once are either refused with 409 or in its next prompt."""
    slow = letta_llm.script(say("Noted.", hold_s=_HOLD_S))
    words = [f"parallel-{n}" for n in range(_SPEAKERS)]

    def send(word: str) -> httpx.Response:
        message = {"role": "user", "content": slow.prompt(word)}
        return letta_agent.client.post(f"{letta_agent.path}/messages", json={"messages": [message]})

    with ThreadPoolExecutor(_SPEAKERS) as pool:
        answers = list(pool.map(send, words))
    for answer in answers:
        must(status(answer, 200, 409))

    script = letta_llm.script(say("Done."))
    letta_agent.send(script.prompt("What did I say?"))
    prompt = json.dumps(letta_llm.requests(script)[-1].body["messages"])
    accepted = [word for word, answer in zip(words, answers, strict=True) if answer.status_code == 200]
    must(None if accepted else f"none of {_SPEAKERS} parallel messages was accepted: {answered(answers[0])}")
    lost = [word for word in accepted if word not in prompt]
    text = f"{len(lost)} of {len(accepted)} messages that were answered with 200 are not in the next prompt: {lost}"
    must(text if lost else None)
