"""Messages: read by their id, listed over all agents, previewed and generated without a turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, echoed, equal, status

from .turns import Turn, got

if TYPE_CHECKING:
    from pytest_letta.agent import Agent

    from .asking import Ask


@pytest.mark.parametrize("kind", ["user_message", "assistant_message"], ids=["question", "answer"])
@contract("REST-MESSAGES-001", needs=["messages"], because="links to a message are kept by its id")
def test_message_is_read_by_its_id(ask: Ask, letta_agent: Agent, turn: Turn, kind: str) -> None:
    """A message that is in the history is the same when read by its id."""
    kept = next(one for one in letta_agent.messages() if one["message_type"] == kind)

    found = got(ask, f"/v1/messages/{kept['id']}")

    # What an agent thinks and says is one message, of several parts.
    same = [one for one in found if one["message_type"] == kind]
    must(equal(1, len(same), f"messages of type {kind} by the id, among {[one['message_type'] for one in found]}"))
    must(echoed({"id": kept["id"], "content": kept["content"]}, same[0], "the message by its id"))


@contract("REST-MESSAGES-002", needs=["messages"], because="operators look at what was said last, whoever said it")
def test_newest_messages_of_all_agents_have_ours(ask: Ask, turn: Turn) -> None:
    """The list of the messages of all agents, newest first, has that of the turn that just ended."""
    newest = got(ask, "/v1/messages/", limit=50, order="desc")

    must(contains([one["id"] for one in newest], turn["messages"][-1]["id"], "the newest 50 messages of all agents"))


@contract(
    "REST-MESSAGES-003",
    needs=["messages", "runs"],
    because="a preview shows what the model would be asked, and asks nothing",
)
def test_preview_shows_the_request_and_sends_nothing(ask: Ask, letta_agent: Agent) -> None:
    """A preview of a message has its text as the model would get it, and leaves no message and no run."""
    before = [one["id"] for one in letta_agent.messages()]
    body = {"messages": [{"role": "user", "content": "Only looked at."}]}

    answer = ask("POST", f"{letta_agent.path}/messages/preview-raw-payload", body)

    must(status(answer))
    must(contains(str(answer.json()), "Only looked at.", "the preview"))
    must(equal(before, [one["id"] for one in letta_agent.messages()], "messages after the preview"))
    # Up to 0.11 only the other name was known.
    of_agent = {"agent_id": letta_agent.id, "agent_ids": letta_agent.id}
    must(equal([], got(ask, "/v1/runs/", **of_agent), "runs after the preview"))


@contract(
    "REST-MESSAGES-004", needs=["messages"], because="a prompt may be tried with an agent's model without a turn"
)
def test_generation_leaves_no_trace_in_the_history(ask: Ask, letta_agent: Agent) -> None:
    """Generating a text with the model of an agent gives a text, and the agent's history stays as it is."""
    before = [one["id"] for one in letta_agent.messages()]

    answer = ask("POST", f"{letta_agent.path}/generate", {"prompt": "Say something."})

    must(status(answer))
    must(None if answer.json().get("content") else f"the generation gave no text: {answer.text[:200]}")
    must(equal(before, [one["id"] for one in letta_agent.messages()], "messages after the generation"))
