"""Imports of agent files: they leave the original alone, do what the form says, and fail without a trace."""

from __future__ import annotations

import copy as copying
import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, lacks, refused, same_sequence, status, unchanged
from pytest_letta.llm import say

from .agent_file import blocks_of, export, import_copy, send_file, state_of, told

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.ownership import Ledger


@contract("MEM-FILE-008", needs=["core_memory", "messages", "agent_file"], because="a copy is made to try things out")
def test_copy_never_changes_the_original(
    letta_agent: Agent, letta_client: httpx.Client, letta_ledger: Ledger
) -> None:
    """Importing, editing, talking to, resetting and deleting a copy changes nothing of the original."""
    letta_agent.send("Good morning.")
    state, blocks, history = _all_of(letta_agent)

    copy = import_copy(letta_client, letta_ledger, export(letta_agent))
    copy.edit_block("human", "Somebody else.")
    copy.send("I am somebody else.")
    must(status(copy.client.patch(f"{copy.path}/reset-messages", json={})))

    must(equal(blocks, _all_of(letta_agent)[1], "blocks of the original, with a copy beside it"))
    must(status(copy.client.delete(copy.path), 200, 204))
    after, blocks_after, history_after = _all_of(letta_agent)
    must(equal(blocks, blocks_after, "blocks of the original"))
    must(same_sequence(history, history_after, "history of the original"))
    must(unchanged(state, after, "state of the original"))


@contract(
    "MEM-FILE-009",
    needs=["tools", "agent_file"],
    because="tools of one name are one tool for all agents; override_existing_tools=false is to leave it alone",
)
def test_import_leaves_existing_tools_alone_when_told_to(
    make_tool_user: tuple[Agent, str, str], letta_client: httpx.Client, letta_ledger: Ledger
) -> None:
    """With override_existing_tools=false an import leaves the source of a tool that exists as it is."""
    agent, tool, source = make_tool_user
    file = export(agent)
    newer = source.replace("upper", "lower")
    must(status(letta_client.patch(f"/v1/tools/{tool}", json={"source_code": newer})))

    import_copy(letta_client, letta_ledger, file, override_existing_tools="false")

    answer = letta_client.get(f"/v1/tools/{tool}")
    must(status(answer) or equal(newer, answer.json().get("source_code"), "source of the tool after the import"))


@pytest.fixture
def make_tool_user(
    make_letta_agent: AgentMaker, letta_client: httpx.Client, letta_ledger: Ledger
) -> tuple[Agent, str, str]:
    """An agent with a tool of its own; the tool's id and its source."""
    name = letta_ledger.name().replace("-", "_")
    source = f'def {name}(word: str) -> str:\n    """Shout.\n\n    Args:\n        word: What.\n    """\n'
    source += "    return word.upper()\n"
    answer = letta_client.post("/v1/tools/", json={"source_code": source})
    must(status(answer))
    letta_ledger.enter(f"/v1/tools/{answer.json()['id']}")
    return make_letta_agent(tool_ids=[answer.json()["id"]]), answer.json()["id"], source


@pytest.mark.parametrize("moment", ["at-export", "at-import"])
@contract(
    "MEM-FILE-010",
    needs=["messages", "agent_file"],
    because="a file is shared 'without conversation history' (scrub_messages, strip_messages: the API reference)",
)
def test_stripped_messages_are_not_in_the_copy(
    letta_agent: Agent, letta_client: httpx.Client, letta_ledger: Ledger, moment: str
) -> None:
    """A copy without messages, scrubbed at export or stripped at import, holds none of them, and answers."""
    letta_agent.send("The safe opens with 4711.")

    if moment == "at-export":
        file = export(letta_agent, scrub_messages="true")
        must(lacks(json.dumps(file), "4711", "file exported with scrub_messages"))
        copy = import_copy(letta_client, letta_ledger, file)
    else:
        copy = import_copy(letta_client, letta_ledger, export(letta_agent), strip_messages="true")

    must(lacks(str(told(copy.messages())), "4711", "history of the copy without messages"))
    copy.send("Good morning.")


@pytest.mark.parametrize("broken", ["cut-short", "missing-message", "missing-block"])
@contract(
    "MEM-FILE-011",
    needs=["agents", "blocks", "agent_file"],
    because="half an agent looks like a whole one, until it is asked; its blocks are never found again",
)
def test_refused_import_leaves_nothing_behind(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger, broken: str
) -> None:
    """A file that is cut short, or refers to what it does not hold, is refused, and nothing of it is stored."""
    label = letta_ledger.name()
    agent = make_letta_agent(memory_blocks=[{"label": label, "value": "x"}], name=letta_ledger.name())
    file = export(agent)
    content = _broken(file, broken)

    answer = send_file(letta_client, content, override_name=label)

    left = _left_behind(letta_client, letta_ledger, label, agent)
    must(refused(answer, 400, 422))
    must(equal([], left, "what the refused import left behind"))


def _broken(file: dict[str, Any], how: str) -> str:
    file = copying.deepcopy(file)
    if how == "missing-message":
        file["agents"][0]["in_context_message_ids"] = ["message-99"]
    elif how == "missing-block":
        file["agents"][0]["block_ids"] += ["block-99"]
    text = json.dumps(file)
    return text[: len(text) // 2] if how == "cut-short" else text


@contract(
    "MEM-FILE-012",
    needs=["folders", "agent_file"],
    because="an agent with a folder could be exported and not be imported again: letta-ai/letta#2504, #2987",
)
def test_agent_with_a_folder_can_be_imported(
    make_letta_agent: AgentMaker, letta_client: httpx.Client, letta_ledger: Ledger
) -> None:
    """The file of an agent with a folder attached can be imported, with the agent's memory."""
    label = letta_ledger.name()
    agent = make_letta_agent(memory_blocks=[{"label": label, "value": "Keeps the light."}])
    body = {"name": letta_ledger.name(), "embedding": agent.state.get("embedding")}
    folder = letta_client.post("/v1/folders/", json=body)
    must(status(folder))
    letta_ledger.enter(f"/v1/folders/{folder.json()['id']}")
    must(status(letta_client.patch(f"{agent.path}/folders/attach/{folder.json()['id']}")))

    answer = send_file(letta_client, json.dumps(export(agent)), override_name=label)

    copies = _left_behind(letta_client, letta_ledger, label, agent)
    must(status(answer))
    must(equal(2, len(copies), "number of agents and blocks that the import made"))
    copied = letta_client.get(f"/v1/agents/{answer.json()['agent_ids'][0]}/core-memory/blocks/{label}")
    must(status(copied) or equal("Keeps the light.", copied.json().get("value"), "block of the copy"))


@contract(
    "MEM-FILE-013",
    needs=["messages", "agent_file", "llm"],
    because="the model is told its agent's id, to act on itself: with another's it acts on that one",
)
def test_prompt_of_the_copy_does_not_name_the_original(
    letta_agent: Agent, letta_client: httpx.Client, letta_llm: ModelControl, letta_ledger: Ledger
) -> None:
    """Where the prompt names the id of its agent, the prompt of a copy names the copy and not the original."""
    copy = import_copy(letta_client, letta_ledger, export(letta_agent))
    script = letta_llm.script(say("Noted."))

    copy.send(script.prompt("Who are you?"))

    instructions, tag, own = letta_llm.last_system_prompt(script).partition("<memory_metadata>")
    must(lacks(f"{tag}{own}{instructions}", letta_agent.id, "prompt of the copy"))


def _all_of(agent: Agent) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    return state_of(agent), blocks_of(agent, "id", "value", "limit", "description"), told(agent.messages())


def _left_behind(client: httpx.Client, ledger: Ledger, label: str, original: Agent) -> list[str]:
    """Find what an import made: the agent of that name, the block of that label; enter it for deletion."""
    agents = client.get("/v1/agents/", params={"name": label, "limit": 10})
    blocks = client.get("/v1/blocks/", params={"label": label, "limit": 10})
    must(status(agents) or status(blocks))
    of_original = {block["id"] for block in blocks_of(original, "id").values()}
    left = [f"/v1/blocks/{each['id']}" for each in blocks.json() if each["id"] not in of_original]
    left += [f"/v1/agents/{each['id']}" for each in agents.json()]
    for path in left:
        ledger.enter(path)
    return left
