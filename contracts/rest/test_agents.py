"""Agents: what was sent comes back, from the creation and from every later read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import echoed, equal, same_set, status, unchanged

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.ownership import Ledger

_BECAUSE = (
    "a field that is dropped in silence is lost memory: agents restored from a backup came up with default blocks, "
    "acertainKnight/project-thoth commit 7a74a68"
)

#: Fields that the agent has under the names under which they are sent.
_PLAIN: dict[str, dict[str, Any]] = {
    "texts": {"description": 'Zoë\'s: d/1 (x) {"a": 1}\n2', "system": "You are <b>Zoë</b>.\n\nLine 3. "},
    "metadata": {"metadata": {"a": {"b": [1, 2.5, None, True, "ü"]}, "empty": {}, "": "no key"}},
    "timezone": {"timezone": "Europe/Berlin"},
    "autoclear": {"message_buffer_autoclear": True},
    "agent-type": {"agent_type": "memgpt_v2_agent"},
    "files": {"max_files_open": 7, "per_file_view_window_char_limit": 1234},
}

#: Each with what the other is not.
_BLOCKS = [
    {"label": "human", "value": "Name: Zoë.\n", "limit": 300, "description": "Who they are.", "read_only": True},
    {"label": "persona", "value": "", "limit": 4000, "description": "Who I am.", "read_only": False},
    {"label": "Project X 2", "value": "{{x}} <b>", "limit": 77, "description": "", "read_only": False},
]


def _read(agent: Agent) -> dict[str, Any]:
    answer = agent.client.get(agent.path)
    must(status(answer))
    return dict(answer.json())


@pytest.mark.parametrize("fields", [pytest.param(fields, id=case) for case, fields in _PLAIN.items()])
@contract("REST-AGENTS-001", needs=["agents"], because=_BECAUSE)
def test_new_agent_has_the_fields_that_were_sent(make_letta_agent: AgentMaker, fields: dict[str, Any]) -> None:
    """Making an agent gives back the fields that were sent, and so does reading it."""
    agent = make_letta_agent(**fields)

    must(echoed(fields, agent.state, "the new agent"))
    must(echoed(fields, _read(agent), "the agent when read"))


@contract(
    "REST-AGENTS-002", needs=["agents"], because="tags are how a project finds its agents among those of others"
)
def test_new_agent_has_the_name_and_the_tags_that_were_sent(
    make_letta_agent: AgentMaker, letta_ledger: Ledger
) -> None:
    """Making an agent gives back its name and each of its tags, and so does reading it."""
    name, tags = letta_ledger.name(), ["two words", "a/1:b", "ünï", "UPPER"]

    agent = make_letta_agent(name=name, tags=tags)

    for what, state in (("the new agent", agent.state), ("the agent when read", _read(agent))):
        must(equal(name, state.get("name"), f"name of {what}"))
        must(same_set([*letta_ledger.tags, *tags], state.get("tags") or (), f"tags of {what}"))


@pytest.mark.parametrize("field", ["value", "limit", "description", "read_only", "metadata"])
@contract("REST-AGENTS-003", needs=["agents"], because=_BECAUSE)
def test_new_agent_has_the_blocks_that_were_sent(make_letta_agent: AgentMaker, field: str) -> None:
    """Making an agent with memory blocks gives each block back under its label, and so does reading the agent."""
    blocks = [{**block, "metadata": {"source": block["label"]}} for block in _BLOCKS]

    agent = make_letta_agent(memory_blocks=blocks)

    sent = {str(block["label"]): block[field] for block in blocks}
    for what, state in (("the new agent", agent.state), ("the agent when read", _read(agent))):
        got = {block["label"]: block.get(field) for block in state["memory"]["blocks"]}
        must(echoed(sent, got, f"{field} by label in {what}"))
        must(same_set(sent, got, f"labels of the blocks of {what}"))


@contract("REST-AGENTS-004", needs=["agents", "blocks"], because="teams of agents share state by shared blocks")
def test_new_agent_holds_the_blocks_that_it_was_given(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger
) -> None:
    """An agent that is made with the ids of blocks holds exactly those blocks."""
    ids = []
    for label in ("first", "second"):
        answer = letta_client.post("/v1/blocks/", json={"label": label, "value": letta_ledger.name()})
        must(status(answer))
        ids.append(answer.json()["id"])
        letta_ledger.enter(f"/v1/blocks/{ids[-1]}")

    agent = make_letta_agent(block_ids=ids)

    for what, state in (("the new agent", agent.state), ("the agent when read", _read(agent))):
        must(same_set(ids, [block["id"] for block in state["memory"]["blocks"]], f"blocks of {what}"))


@contract(
    "REST-AGENTS-005",
    needs=["agents", "tools"],
    because="restored agents came up without their tools: acertainKnight/project-thoth commit f17670f",
)
def test_new_agent_has_the_tools_that_it_was_given(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger
) -> None:
    """An agent that is made without base tools and with the id of a tool has exactly that tool."""
    tool = f"tool_{letta_ledger.name().replace('-', '_')}"
    doc = '"""Give back.\n\n    Args:\n        text (str): What.\n    """'
    source = f"def {tool}(text: str) -> str:\n    {doc}\n    return text\n"
    answer = letta_client.post("/v1/tools/", json={"source_code": source})
    must(status(answer))
    letta_ledger.enter(f"/v1/tools/{answer.json()['id']}")

    agent = make_letta_agent(tool_ids=[answer.json()["id"]], include_base_tools=False)

    for what, state in (("the new agent", agent.state), ("the agent when read", _read(agent))):
        must(same_set([tool], [each["name"] for each in state["tools"]], f"tools of {what}"))


@contract(
    "REST-AGENTS-006", needs=["agents"], because="a budget that is not kept shows as a bill or a truncated prompt"
)
def test_new_agent_has_the_context_window_that_was_asked_for(make_letta_agent: AgentMaker) -> None:
    """An agent that is made with a limit of its context window has that window."""
    agent = make_letta_agent(context_window_limit=16123)

    for what, state in (("the new agent", agent.state), ("the agent when read", _read(agent))):
        must(equal(16123, (state.get("llm_config") or {}).get("context_window"), f"context window of {what}"))


@contract(
    "REST-AGENTS-007",
    needs=["agents"],
    because="a read that shows another agent than the creation did is a stale or mixed-up one",
)
def test_reading_an_agent_gives_what_its_creation_gave(make_letta_agent: AgentMaker) -> None:
    """Reading an agent right after it was made gives the whole state that the creation answered, twice alike."""
    agent = make_letta_agent(memory_blocks=_BLOCKS, description="Read me.", metadata={"a": 1})

    first, second = _read(agent), _read(agent)

    # The server writes once more after it has put its answer together: the time of the last update is later.
    must(unchanged(agent.state, first, "reading the new agent", but=["updated_at"]))
    must(unchanged(first, second, "reading it again"))
