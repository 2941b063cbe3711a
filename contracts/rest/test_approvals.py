"""Approvals: a call of a tool that must be allowed waits, is done when it is, and is not when it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, lacks, refused, status
from pytest_letta.llm import call_tool, say

from .tools import TELLING, give, make_tool

if TYPE_CHECKING:
    from pytest_letta import Deployment
    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl, Script

    from .asking import Ask

_NEEDS = ["tools", "approvals", "messages", "llm"]
_BECAUSE = "what must not be done unasked is done once, and cannot be taken back"


def _require(ask: Ask, agent: Agent, tool: str, *, is_required: bool) -> None:
    path = f"{agent.path}/tools/approval/{tool}"
    answer = ask("PATCH", path, {"requires_approval": is_required})
    if answer.status_code == 422 and "query" in answer.text:  # up to 0.11
        answer = ask("PATCH", path, requires_approval=is_required)
    must(status(answer))


@pytest.fixture
def careful(ask: Ask, letta_agent: Agent, word: str) -> Agent:
    """An agent whose tool `word` must be approved before each call."""
    give(ask, letta_agent, make_tool(ask, word, TELLING))
    _require(ask, letta_agent, word, is_required=True)
    return letta_agent


@pytest.fixture
def script(letta_llm: ModelControl, word: str) -> Script:
    """What the model says: it calls the tool, and ends."""
    return letta_llm.script(call_tool(word, {}), say("Done."))


def _waiting(agent: Agent, script: Script) -> dict[str, Any]:
    """Return the request for approval with which a turn ends."""
    turn = agent.send(script.prompt())
    must(equal("requires_approval", turn["stop_reason"]["stop_reason"], "reason why the turn stopped"))
    return dict(turn["messages"][-1])


def _answer(agent: Agent, deployment: Deployment, request: dict[str, Any], approve: bool, reason: str) -> Any:
    schemas = (deployment.spec.document if deployment.spec else {}).get("components", {}).get("schemas", {})
    said: dict[str, Any] = {"approve": approve, "reason": reason}
    if "approvals" in schemas.get("ApprovalCreate", {}).get("properties", {"approvals": None}):
        said = {"approvals": [{"type": "approval", "tool_call_id": request["tool_call"]["tool_call_id"], **said}]}
    else:  # up to 0.11 there was one call to a request
        said = {"approval_request_id": request["id"], **said}
    answer = agent.client.post(f"{agent.path}/messages", json={"messages": [{"type": "approval", **said}]})
    must(status(answer))
    return answer.json()


def _kinds(messages: list[dict[str, Any]]) -> list[str]:
    return [one["message_type"] for one in messages]


@contract("REST-APPROVALS-001", needs=_NEEDS, because=_BECAUSE)
def test_call_waits_for_its_approval(careful: Agent, letta_llm: ModelControl, word: str) -> None:
    """A turn that calls such a tool ends with a request that shows the call, and the tool is not run."""
    script = letta_llm.script(call_tool(word, {"animal": "otter"}), say("Done."))

    request = _waiting(careful, script)

    must(equal("approval_request_message", request["message_type"], "type of the last message"))
    must(equal(word, request["tool_call"].get("name"), "tool that is to be approved"))
    must(contains(request["tool_call"].get("arguments", ""), "otter", "arguments that are to be approved"))
    must(lacks(_kinds(careful.messages()), "tool_return_message", "history before the approval"))


@pytest.mark.parametrize("approve", [True, False], ids=["approved", "denied"])
@contract("REST-APPROVALS-002", needs=_NEEDS, because=_BECAUSE)
def test_answer_decides_about_the_call(
    letta_deployment: Deployment, letta_llm: ModelControl, careful: Agent, script: Script, approve: bool
) -> None:
    """An approved call is done and a denied one is not; the model gets what it returned, or why it was denied."""
    reason, told = "Not on a Sunday.", "otter otter "
    request = _waiting(careful, script)

    turn = _answer(careful, letta_deployment, request, approve, reason)

    must(equal("end_turn", turn["stop_reason"]["stop_reason"], "reason why the turn stopped after the answer"))
    asked = str(letta_llm.requests(script)[-1].body["messages"][-1])
    must(contains(asked, told if approve else reason, "what the model was told of the call"))
    must(None if approve else lacks(asked, told, "what the model was told of the denied call"))


@contract("REST-APPROVALS-003", needs=_NEEDS, because="a client that does not know of the request must learn of it")
def test_message_beside_a_waiting_call_is_refused(careful: Agent, script: Script) -> None:
    """While a call waits for its approval, a message is refused with 4xx that speaks of it, and is not stored."""
    _waiting(careful, script)
    before = [one["id"] for one in careful.messages()]

    answer = careful.try_send("Hello.")

    # 409 since 0.12, 400 before.
    must(refused(answer, 409, 400, naming="approv"))
    must(equal(before, [one["id"] for one in careful.messages()], "messages after the refusal"))


@contract("REST-APPROVALS-004", needs=_NEEDS, because="a rule that cannot be taken back makes an agent wait for ever")
def test_approval_is_no_longer_needed_once_taken_back(ask: Ask, careful: Agent, script: Script, word: str) -> None:
    """Once approvals are no longer required, the tool is run in the turn."""
    _require(ask, careful, word, is_required=False)

    turn = careful.send(script.prompt())

    must(contains(_kinds(turn["messages"]), "tool_return_message", "messages of the turn"))
    must(equal("end_turn", turn["stop_reason"]["stop_reason"], "reason why the turn stopped"))
