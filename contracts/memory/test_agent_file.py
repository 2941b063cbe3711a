"""Agent files: a copy is what the original was, as far as the format promises, and it says what it leaves out."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import contains, echoed, equal, lacks, same_sequence, same_set, status
from pytest_letta.llm import call_tool, say

from .agent_file import BLOCKS, FIELDS, SECRET, blocks_of, export, import_copy, state_of, told

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.ownership import Ledger

_README = "github.com/letta-ai/agent-file, 'What state does .af include?'"
_PROMISED = ("label", "value", "limit", "description", "read_only", "metadata")


@pytest.fixture
def original(make_letta_agent: AgentMaker) -> Agent:
    """An agent with something in each place that the format knows."""
    rules = [{"tool_name": "conversation_search", "type": "exit_loop"}]
    return make_letta_agent(memory_blocks=BLOCKS, tool_rules=rules, **FIELDS)


@contract("MEM-FILE-001", needs=["agents", "agent_file"], because=f"what the format holds: {_README}")
def test_copy_has_the_fields_of_the_original(
    original: Agent, letta_client: httpx.Client, letta_ledger: Ledger
) -> None:
    """An imported copy has the system prompt, settings, tags, model, tools and tool rules of the original."""
    copy = import_copy(letta_client, letta_ledger, export(original))

    must(None if copy.id != original.id else f"the copy is the original itself: {copy.id}")
    fields = (*FIELDS.keys() - {"tools", "include_base_tools"}, "agent_type", "llm_config", "embedding_config")
    before, after = state_of(original), state_of(copy)
    must(echoed({field: before[field] for field in fields}, after, "state of the copy"))
    must(same_set(before["tags"], after["tags"], "tags of the copy"))
    must(same_set([t["name"] for t in before["tools"]], [t["name"] for t in after["tools"]], "tools of the copy"))
    rules = [sorted(map(json.dumps, state["tool_rules"])) for state in (before, after)]
    must(same_sequence(rules[0], rules[1], "tool rules of the copy"))


@pytest.mark.parametrize("fields", [pytest.param(_PROMISED, id="contents"), pytest.param(("tags",), id="tags")])
@contract(
    "MEM-FILE-002",
    needs=["core_memory", "blocks", "agent_file"],
    because="a backup by file gave back default blocks; the format has a place for each of these fields",
)
def test_copy_has_the_blocks_of_the_original(
    make_letta_agent: AgentMaker, letta_client: httpx.Client, letta_ledger: Ledger, fields: tuple[str, ...]
) -> None:
    """An imported copy has blocks of its own, each with what the block of the original has."""
    made = [letta_client.post("/v1/blocks/", json={**block, "tags": ["harbour"]}) for block in BLOCKS]
    for answer in made:
        must(status(answer))
        letta_ledger.enter(f"/v1/blocks/{answer.json()['id']}")
    original = make_letta_agent(block_ids=[answer.json()["id"] for answer in made], **FIELDS)
    if fields == ("tags",) and not any(block["tags"] for block in blocks_of(original, "tags").values()):
        not_applicable("the blocks of this server have no tags")

    copy = import_copy(letta_client, letta_ledger, export(original))

    before, after = blocks_of(original, *fields), blocks_of(copy, *fields)
    must(same_set(before, after, "labels of the copy's blocks"))
    for label, block in before.items():
        must(echoed(block, after[label], f"block {label} of the copy"))
    ids = [{block["id"] for block in blocks_of(agent, "id").values()} for agent in (original, copy)]
    must(equal(set(), ids[0] & ids[1], "blocks that the copy shares with the original"))


@contract("MEM-FILE-003", needs=["messages", "agent_file", "llm"], because=f"'complete chat history': {_README}")
def test_copy_has_the_history_of_the_original(
    original: Agent, letta_client: httpx.Client, letta_llm: ModelControl, letta_ledger: Ledger
) -> None:
    """An imported copy has the messages of the original, with tool calls and results, each once and in order."""
    _talk(original, letta_llm)

    copy = import_copy(letta_client, letta_ledger, export(original))

    must(same_sequence(told(original.messages()), told(copy.messages()), "history of the copy"))


@contract("MEM-FILE-004", needs=["messages", "agent_file", "llm"], because="a copy that has forgotten is no backup")
def test_next_prompt_of_the_copy_is_that_of_the_original(
    original: Agent, letta_client: httpx.Client, letta_llm: ModelControl, letta_ledger: Ledger
) -> None:
    """The next prompt of a copy holds the same instructions, blocks and earlier turns as the original's, in order."""
    _talk(original, letta_llm)
    copy = import_copy(letta_client, letta_ledger, export(original))

    first, second = (_next_prompt(letta_llm, agent) for agent in (original, copy))

    must(same_sequence(first, second, "next prompt of the copy"))
    must(contains("".join(second), "Line one.", "next prompt of the copy"))
    must(contains("".join(second), "What is the rule?", "next prompt of the copy"))


@contract("MEM-FILE-005", needs=["messages", "agent_file"], because=f"'complete chat history': {_README}")
def test_copy_has_what_is_no_longer_in_context(
    letta_agent: Agent, letta_client: httpx.Client, letta_ledger: Ledger
) -> None:
    """An imported copy has the whole history of the original, also what has left its context."""
    letta_agent.send("Said before the reset.")
    must(status(letta_agent.client.patch(f"{letta_agent.path}/reset-messages", json={})))
    letta_agent.send("Said after the reset.")
    must(contains(str(told(letta_agent.messages())), "Said before the reset.", "history of the original"))

    copy = import_copy(letta_client, letta_ledger, export(letta_agent))

    for text in ("Said after the reset.", "Said before the reset."):
        must(contains(str(told(copy.messages())), text, "history of the copy"))


@contract(
    "MEM-FILE-006", needs=["archival", "agent_file"], because=f"'we currently do not support Passages': {_README}"
)
def test_file_leaves_archival_memory_out_or_brings_it_whole(
    letta_agent: Agent, letta_client: httpx.Client, letta_ledger: Ledger
) -> None:
    """Archival memory is in the file and in the copy, or in neither; the original keeps it."""
    text = "The grey heron nests on the pylon."
    letta_agent.insert_passage(text)
    file = export(letta_agent)

    copy = import_copy(letta_client, letta_ledger, file)

    listed = copy.client.get(f"{copy.path}/archival-memory", params={"limit": 10})
    must(status(listed))
    copied = [passage["text"] for passage in listed.json()]
    must(equal([text] if text in json.dumps(file) else [], copied, "passages of the copy, against those in the file"))
    kept = letta_agent.client.get(f"{letta_agent.path}/archival-memory", params={"limit": 10})
    must(status(kept) or equal([text], [passage["text"] for passage in kept.json()], "passages of the original"))


@contract("MEM-FILE-007", needs=["agents", "agent_file"], because="files are shared in public; secrets are left out")
def test_file_names_secrets_and_does_not_tell_them(
    make_letta_agent: AgentMaker, letta_client: httpx.Client, letta_ledger: Ledger
) -> None:
    """The file holds the names of an agent's secrets without their values, and an import can give values anew."""
    agent = make_letta_agent(secrets={"API_KEY": SECRET})
    must(equal({"API_KEY": SECRET}, _secrets(state_of(agent)), "secrets of the original"))
    file = export(agent)

    must(lacks(json.dumps(file), SECRET, "agent file"))
    must(contains(json.dumps(file), "API_KEY", "agent file"))
    copy = import_copy(letta_client, letta_ledger, file, secrets=json.dumps({"API_KEY": "given-anew"}))
    must(equal({"API_KEY": "given-anew"}, _secrets(state_of(copy)), "secrets of the copy"))


def _secrets(state: dict[str, Any]) -> dict[str, str]:
    return {secret["key"]: secret["value"] for secret in state.get("secrets") or ()}


def _talk(agent: Agent, llm: ModelControl) -> None:
    agent.send(llm.script(say("Good evening.")).prompt("Good morning."))
    search = call_tool("memory_insert", {"label": "human", "new_string": "Likes fog."})
    agent.send(llm.script(search, say("Never to guess.")).prompt("What is the rule?"))


def _next_prompt(llm: ModelControl, agent: Agent) -> list[str]:
    """Return the messages of the agent's next prompt, one line each, without what names the agent or the moment."""
    script = llm.script(say("Noted."))
    agent.send(script.prompt("Go on."))
    own = re.compile(
        rf"agent-[0-9a-f-]{{36}}|\[\[script:{script.key}\]\]|<memory_metadata>.*?</memory_metadata>", re.S
    )
    messages = llm.requests(script)[-1].body["messages"]
    return [
        own.sub("", json.dumps([m["role"], m.get("content"), m.get("tool_calls")]).replace("\\n", "\n"))
        for m in messages
    ]
