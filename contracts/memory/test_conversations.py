"""Conversations: one agent and one memory, and what is said in one stays in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, lacks, refused, same_sequence, status
from pytest_letta.llm import call_tool, say

from .conversation import begin

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.llm.control import Script

_NEEDS = ["conversations", "messages"]
_SECRET = "The safe opens with 4711."
_NEW = "Moved to Lisbon in spring."


def _prompt(llm: ModelControl, script: Script) -> str:
    return json.dumps(llm.requests(script)[-1].body["messages"])


def _ids(messages: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(m["id"] for m in messages))  # one may be shown in several parts


def _texts(messages: list[dict[str, Any]]) -> list[str]:
    return [str(m["content"]) for m in messages if m["message_type"] in ("user_message", "assistant_message")]


@contract(
    "MEM-CONVERSATION-001",
    needs=[*_NEEDS, "llm"],
    because="one agent serves many users, each in a conversation of its own",
)
def test_history_of_a_conversation_is_its_own(letta_agent: Agent) -> None:
    """A conversation holds what was said in it, in order, and nothing of another or of the agent's own thread."""
    first, second = begin(letta_agent), begin(letta_agent)
    first.send("First of one.")
    second.send("First of two.")
    letta_agent.send("To the agent itself.")
    first.send("Second of one.")

    own = letta_agent.messages(conversation_id="default")
    for said, messages, whose in (
        (["First of one.", "Second of one."], first.messages(), "the first conversation"),
        (["First of two."], second.messages(), "the second conversation"),
        (["To the agent itself."], own, "the agent's thread"),
    ):
        users = [str(m["content"]) for m in messages if m["message_type"] == "user_message"]
        must(same_sequence(said, users, f"what the user said in {whose}"))
        must(equal(2 * len(said), len(_texts(messages)), f"number of messages, with the answers, in {whose}"))


@contract(
    "MEM-CONVERSATION-002", needs=[*_NEEDS, "llm"], because="what one user said must not reach the model of another's"
)
def test_prompt_of_a_conversation_holds_its_own_turns_only(letta_agent: Agent, letta_llm: ModelControl) -> None:
    """The prompt of a turn holds the earlier turns of its own conversation and of no other."""
    first, second = begin(letta_agent), begin(letta_agent)
    first.send(_SECRET)
    second.send("I like tea.")

    for say_it, held, whose in (
        (first.send, [_SECRET], "the first conversation"),
        (second.send, ["I like tea."], "the second conversation"),
        (letta_agent.send, [], "the agent's thread"),
    ):
        script = letta_llm.script(say("Noted."))
        say_it(script.prompt("Go on."))
        prompt = _prompt(letta_llm, script)
        for text in (_SECRET, "I like tea."):
            must((contains if text in held else lacks)(prompt, text, f"prompt in {whose}"))


@pytest.mark.parametrize("moment", ["begun-afterwards", "under-way", "edited-by-the-model"])
@contract(
    "MEM-CONVERSATION-003",
    needs=[*_NEEDS, "core_memory", "llm"],
    because="conversations of an agent share its memory: docs.letta.com, conversations",
)
def test_edited_block_is_in_the_next_prompt_of_every_conversation(
    letta_agent: Agent, letta_llm: ModelControl, moment: str
) -> None:
    """After an edit of a block the next prompt of each conversation holds the new value and not the old one."""
    conversation = begin(letta_agent)
    conversation.send("Good morning.")

    if moment == "edited-by-the-model":
        arguments = {"label": "human", "old_string": "Name unknown.", "new_string": _NEW}
        conversation.send(letta_llm.script(call_tool("memory_replace", arguments), say("Done.")).prompt("I moved."))
        must(equal(_NEW, letta_agent.block("human")["value"], "block over REST after the model's edit"))
    else:
        letta_agent.edit_block("human", _NEW)
    judged = begin(letta_agent) if moment == "begun-afterwards" else conversation
    script = letta_llm.script(say("Noted."))
    judged.send(script.prompt("Go on."))

    instructions, tag, memory = letta_llm.last_system_prompt(script).partition("<memory_blocks>")
    told = f"{tag}{memory}{instructions}"  # what it says of memory first
    must(contains(told, _NEW, "prompt of the conversation after the edit"))
    must(lacks(told, "Name unknown.", "prompt of the conversation after the edit"))


@contract(
    "MEM-CONVERSATION-004", needs=["conversations"], because="a client shows a user the conversations with an agent"
)
def test_conversations_are_listed_by_their_agent(letta_agent: Agent) -> None:
    """The conversations of an agent are listed by its id: all of them, in the order asked for, with their agent."""
    begun = [begin(letta_agent).id for _ in range(3)]

    for order, expected in (("asc", begun), ("desc", begun[::-1])):
        asked = {"agent_id": letta_agent.id, "order": order, "limit": "20"}
        answer = letta_agent.client.get("/v1/conversations/", params=asked)
        must(status(answer))
        must(same_sequence(expected, [each["id"] for each in answer.json()], f"conversations listed {order}"))
        must(equal({letta_agent.id}, {each["agent_id"] for each in answer.json()}, "agent of the conversations"))


@pytest.mark.parametrize("order", ["asc", "desc"])
@contract(
    "MEM-CONVERSATION-005",
    needs=_NEEDS,
    because="pages of a conversation came in reverse or cut: letta-ai/letta commit 0d7c2c638, #3088",
)
def test_pages_of_a_conversation_are_its_history(letta_agent: Agent, order: str) -> None:
    """Walking the messages of a conversation by pages, in either order, gives each once and in that order."""
    conversation = begin(letta_agent)
    for text in ("One.", "Two."):
        conversation.send(text)
    whole = _ids(conversation.messages())
    expected = whole if order == "asc" else whole[::-1]

    must(same_sequence(expected, _ids(conversation.messages(order=order)), f"one page, {order}"))
    for limit in (1, 3):
        walked: list[str] = []
        for _ in range(len(whole) + 2):
            # "messages that come after this message ID in the specified sort order": the API reference
            cursor = {"after": walked[-1]} if walked else {}
            page = _ids(conversation.messages(order=order, limit=limit, **cursor))
            if not page:
                break
            walked += page
        must(same_sequence(expected, walked, f"conversation walked {order} by {limit}, against one page"))


@contract(
    "MEM-CONVERSATION-006",
    needs=[*_NEEDS, "conversation_deletion", "llm"],
    because="a user deletes a conversation for good, and not the agent with all the others",
)
def test_deleted_conversation_is_gone_and_the_agent_is_not(letta_agent: Agent, letta_llm: ModelControl) -> None:
    """A deleted conversation is gone by id and from list and history; the agent and its other conversations go on."""
    gone, kept = begin(letta_agent), begin(letta_agent)
    gone.send(_SECRET)
    kept.send("I like tea.")
    before = kept.messages()

    must(status(letta_agent.client.delete(gone.path), 200, 204))

    must(refused(letta_agent.client.get(gone.path), 404, naming=gone.id))
    must(refused(letta_agent.client.post(f"{gone.path}/messages", json={"input": "Hello?"}), 404, naming=gone.id))
    answer = letta_agent.client.get("/v1/conversations/", params={"agent_id": letta_agent.id, "limit": 20})
    must(status(answer) or equal([kept.id], [each["id"] for each in answer.json()], "conversations that are left"))
    must(lacks(json.dumps(letta_agent.messages()), _SECRET, "history of the agent after the deletion"))
    must(equal(before, kept.messages(), "history of the other conversation"))
    script = letta_llm.script(say("Noted."))
    kept.send(script.prompt("Go on."))
    must(contains(_prompt(letta_llm, script), "I like tea.", "next prompt of the other conversation"))
    must(contains(_texts(letta_agent.messages()), "I like tea.", "history of the agent after the deletion"))
