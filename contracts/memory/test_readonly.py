"""Read-only blocks: an agent is told of them and cannot change them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import equal, refused, status
from pytest_letta.llm import call_tool, say

from .blocks import block_path, held, tool_returns

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl

_POLICY = "Refunds within 30 days."
_CHANGED = "Refunds for ever."
_DOCUMENT = "/memories/policy"

#: What an agent calls to change a block, by what that would do to it.
_CALLS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "edit": [
        ("memory_insert", {"label": "policy", "new_string": _CHANGED}),
        ("memory_replace", {"label": "policy", "old_string": _POLICY, "new_string": _CHANGED}),
        ("memory_rethink", {"label": "policy", "new_memory": _CHANGED}),
        ("core_memory_append", {"label": "policy", "content": _CHANGED}),
        ("core_memory_replace", {"label": "policy", "old_content": _POLICY, "new_content": _CHANGED}),
        ("memory", {"command": "insert", "path": _DOCUMENT, "insert_line": 0, "insert_text": _CHANGED}),
        (
            "memory",
            {"command": "str_replace", "path": _DOCUMENT, "old_string": _POLICY, "new_string": _CHANGED},
        ),
    ],
    "delete": [("memory", {"command": "delete", "path": _DOCUMENT})],
    "rename": [("memory", {"command": "rename", "old_path": _DOCUMENT, "new_path": "/memories/advice"})],
    "describe": [("memory", {"command": "rename", "path": _DOCUMENT, "description": _CHANGED})],
}


@pytest.mark.parametrize("calls", _CALLS.values(), ids=list(_CALLS))
@contract(
    "MEM-READONLY-001",
    needs=["core_memory", "tools", "messages", "llm"],
    because="'When a block is read-only, the agent cannot update the block': docs.letta.com, memory blocks",
)
def test_agent_cannot_change_a_read_only_block(
    letta_client: httpx.Client,
    make_letta_agent: AgentMaker,
    letta_llm: ModelControl,
    calls: list[tuple[str, dict[str, Any]]],
) -> None:
    """No memory tool of an agent edits, renames or removes a read-only block; the agent is told so."""
    offered = [tool for tool in sorted({tool for tool, _ in calls}) if _is_offered(letta_client, tool)]
    calls = [call for call in calls if call[0] in offered]
    if not calls:
        not_applicable("this server has none of the tools in question")
    agent = make_letta_agent(
        tools=offered,
        memory_blocks=[{"label": "policy", "value": _POLICY, "read_only": True, "description": "Of the shop."}],
    )
    before = _shown(agent)
    script = letta_llm.script(*(call_tool(tool, arguments) for tool, arguments in calls), say("I tried."))

    answer = agent.send(script.prompt("Change the policy."))

    called = ", ".join(tool for tool, _ in calls)
    must(equal(before, _shown(agent), f"read-only block after the agent called {called}"))
    statuses = [message["status"] for message in tool_returns(answer)]
    must(equal(["error"] * len(calls), statuses, f"statuses that {called} gave back to the agent"))


@pytest.mark.parametrize("route", ["by-label", "by-id"])
@contract(
    "MEM-READONLY-002",
    needs=["core_memory", "blocks"],
    because="the documentation binds the agent, not its owner; but an owner must know whether an edit was made",
)
def test_owner_knows_whether_a_read_only_block_was_edited(make_letta_agent: AgentMaker, route: str) -> None:
    """An edit of a read-only block over REST is made, or refused; it is not acknowledged and dropped."""
    agent = make_letta_agent(memory_blocks=[{"label": "policy", "value": _POLICY, "read_only": True}])

    answer = agent.client.patch(block_path(agent, "policy", route), json={"value": _CHANGED})

    made = answer.status_code == 200
    # What the code of such a refusal is, nobody has said.
    must(None if made else refused(answer, 400, 403, 409, 422, naming="read"))
    block = agent.block("policy")
    must(equal(_CHANGED if made else _POLICY, block["value"], f"value after the edit, status {answer.status_code}"))
    must(equal(True, block["read_only"], "read_only after the edit"))


@pytest.mark.parametrize("route", ["by-label", "by-id"])
@contract(
    "MEM-READONLY-003",
    needs=["core_memory", "blocks", "messages", "llm"],
    because="a policy that was found writable is locked at once, without a new agent",
)
def test_read_only_can_be_set_and_taken_off(letta_agent: Agent, letta_llm: ModelControl, route: str) -> None:
    """A block that was made read-only keeps the agent out from its next turn on; one made writable lets it in."""
    path = block_path(letta_agent, "human", route)
    for read_only, expected in ((True, ["Name unknown."]), (False, ["Name unknown.", "Likes tea."])):
        must(status(letta_agent.client.patch(path, json={"read_only": read_only})))
        script = letta_llm.script(
            call_tool("memory_insert", {"label": "human", "new_string": "Likes tea."}), say("I tried.")
        )

        letta_agent.send(script.prompt("I like tea."))

        lines = letta_agent.block("human")["value"].splitlines()
        must(equal(expected, lines, f"lines of the block after the agent wrote to it, read_only {read_only}"))


def _is_offered(client: httpx.Client, tool: str) -> bool:
    answer = client.get("/v1/tools/", params={"name": tool})
    must(status(answer))
    return bool(answer.json())


def _shown(agent: Agent) -> list[tuple[str, ...]]:
    return [(block["id"], block["label"], block["value"], block["description"]) for block in held(agent)]
