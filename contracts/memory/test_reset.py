"""Reset: the model begins anew, and the past stays on record, to be listed and searched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import contains, equal, lacks, refused, same_sequence, status
from pytest_letta.llm import call_tool, say

from .conversation import begin

if TYPE_CHECKING:
    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl

_DOG = "My dog is called Zibble."
_SAFE = "The safe is painted green."


def _reset(agent: Agent) -> None:
    must(status(agent.client.patch(f"{agent.path}/reset-messages", json={})))


@contract(
    "MEM-RESET-001",
    needs=["messages", "core_memory", "llm"],
    because="an agent is reset to be rid of a conversation that went wrong, and is to keep what it learnt",
)
def test_prompt_after_a_reset_holds_blocks_and_no_turns(letta_agent: Agent, letta_llm: ModelControl) -> None:
    """After a reset the next prompt holds no earlier turn, and the blocks as they were edited."""
    letta_agent.send(letta_llm.script(say(_SAFE)).prompt(_DOG))
    letta_agent.edit_block("human", "Moved to Lisbon in spring.")

    _reset(letta_agent)

    for question in ("Question number one.", "Question number two."):
        script = letta_llm.script(say("Answer."))
        letta_agent.send(script.prompt(question))
        prompt = json.dumps(letta_llm.requests(script)[-1].body["messages"])
        for turn in (_DOG, _SAFE):
            must(lacks(prompt, turn, "prompt after the reset"))
        must(contains(prompt, "Moved to Lisbon in spring.", "prompt after the reset"))
    must(contains(prompt, "Question number one.", "second prompt after the reset"))


@contract(
    "MEM-RESET-002",
    needs=["messages", "core_memory", "archival"],
    because="the reset 'only clears messages from the agent's context': letta-ai/letta, reset_messages_async",
)
def test_reset_deletes_nothing(letta_agent: Agent) -> None:
    """After a reset the history holds every earlier message, in order, and blocks and passages are as they were."""
    letta_agent.insert_passage("The kettle is descaled.")
    for text in (_DOG, _SAFE):
        letta_agent.send(text)
    before, blocks = _shown(letta_agent.messages()), _memory(letta_agent)

    _reset(letta_agent)

    must(same_sequence(before, _shown(letta_agent.messages())[: len(before)], "history after the reset"))
    must(equal(blocks, _memory(letta_agent), "blocks and passages after the reset"))
    letta_agent.send("Good morning.")
    must(same_sequence(before, _shown(letta_agent.messages())[: len(before)], "history after the reset and a turn"))


@contract(
    "MEM-RESET-003",
    needs=["messages", "tools", "llm"],
    because="recall memory is what is left to the model when its context is gone: docs.letta.com",
)
def test_model_finds_what_was_said(make_letta_agent: AgentMaker, letta_llm: ModelControl) -> None:
    """The model's own search tool finds what the user and the agent said, also after a reset, and no more."""
    agent = make_letta_agent(tools=["conversation_search"], include_base_tools=False)
    agent.send(letta_llm.script(say(_SAFE)).prompt(_DOG))

    for moment in ("before a reset", "after a reset"):
        queries = ("Zibble", "painted green", "nobody said this")
        calls = [call_tool("conversation_search", {"query": query}) for query in queries]
        turn = agent.send(letta_llm.script(*calls, say("Found.")).prompt("What do you remember?"))
        returned = [str(m.get("tool_return")) for m in turn["messages"] if m["message_type"] == "tool_return_message"]
        must(contains("".join(returned[:1]), _DOG, f"result of the model's search {moment} for what the user said"))
        must(equal(len(queries), len(returned), "number of tool results in the turn"))
        must(contains(returned[1], _SAFE, f"result of the model's search {moment} for what it answered"))
        for text in (_DOG, _SAFE):
            must(lacks(returned[2], text, f"result of the model's search {moment} for what nobody said"))
        _reset(agent)


@contract(
    "MEM-RESET-004",
    needs=["messages", "conversations", "llm"],
    because="one user's wish to begin anew must not make the agent forget the others",
)
def test_reset_leaves_conversations_alone(letta_agent: Agent, letta_llm: ModelControl) -> None:
    """After a reset of an agent its conversations go on: their history is what it was, and in the next prompt."""
    conversation = begin(letta_agent)
    conversation.send(_DOG)
    before = _shown(conversation.messages())

    _reset(letta_agent)

    must(same_sequence(before, _shown(conversation.messages()), "history of the conversation after the reset"))
    script = letta_llm.script(say("Noted."))
    conversation.send(script.prompt("Go on."))
    prompt = json.dumps(letta_llm.requests(script)[-1].body["messages"])
    must(contains(prompt, _DOG, "next prompt of the conversation after the reset"))


@contract(
    "MEM-HISTORY-004",
    needs=["messages"],
    because="the search of messages is a feature of Letta Cloud, and its routes are there on every server",
)
def test_search_of_messages_works_or_is_refused(letta_agent: Agent) -> None:
    """A search of messages gives those that hold the words, or is refused with a reason; it is no server error."""
    letta_agent.send(_DOG)

    answers = [
        letta_agent.client.post(route, json={"query": "Zibble", "agent_id": letta_agent.id, "limit": 5})
        for route in ("/v1/messages/search", "/v1/agents/messages/search")
    ]
    served = [answer for answer in answers if answer.status_code not in (404, 405)]
    if not served:
        not_applicable("this server has no route that searches messages")
    for answer in served:
        if answer.is_success:
            must(contains(answer.text, "Zibble", "result of the search for a word of the message"))
        else:
            # 501 and 403 are what other servers say of what they do not offer.
            must(refused(answer, 400, 403, 422, 501, naming="search"))


def _shown(messages: list[dict[str, Any]]) -> list[str]:
    """One line for each message; the system message may be compiled anew."""
    told = [m for m in messages if m["message_type"] != "system_message"]
    return [f"{m['message_type']} {m['id']} {m.get('content')}" for m in told]


def _memory(agent: Agent) -> dict[str, Any]:
    blocks = agent.client.get(f"{agent.path}/core-memory/blocks")
    passages = agent.client.get(f"{agent.path}/archival-memory", params={"limit": 10})
    must(status(blocks) or status(passages))
    return {
        "blocks": {block["label"]: block["value"] for block in blocks.json()},
        "passages": [passage["text"] for passage in passages.json()],
    }
