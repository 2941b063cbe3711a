"""Runs of tools: by their source, in the name of an agent, and in its turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, echoed, equal, lacks, same_set, status
from pytest_letta.llm import call_tool, say

from .tools import FAILING, PEEKING, REPEATING, TELLING, give, make_tool, tools_of

if TYPE_CHECKING:
    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl

    from .asking import Ask

_NEEDS = ["tools", "agents"]
_ODD = "\U0001f9a6\n\"'"
_TOLD = {"PYTEST_LETTA_TOLD": "a b"}


@pytest.mark.parametrize(
    ("source", "args", "more", "outcome", "told"),
    [
        pytest.param(REPEATING, {"text": _ODD}, {}, "success", _ODD * 2, id="with-arguments"),
        pytest.param(PEEKING, {}, {"env_vars": _TOLD}, "success", "a b", id="with-environment"),
        pytest.param(FAILING, {}, {}, "error", "ValueError: no good", id="failing"),
    ],
)
@contract("REST-TOOLS-005", needs=["tools"], because="a tool is tried out before an agent gets it")
def test_source_is_run(
    ask: Ask, word: str, source: str, args: dict[str, Any], more: dict[str, Any], outcome: str, told: str
) -> None:
    """POST /v1/tools/run runs a source with its arguments and environment, and gives what it returns or raises."""
    answer = ask("POST", "/v1/tools/run", {"source_code": source.format(name=word), "args": args, **more})

    must(status(answer))
    returned = answer.json()
    must(equal(outcome, returned.get("status"), f"status of the run, which returned {returned.get('tool_return')!r}"))
    if outcome == "success":
        must(equal(told, returned.get("tool_return"), "what the tool returned"))
    else:
        must(contains(str(returned.get("tool_return")), told, "what the failing tool told"))


@contract("REST-TOOLS-006", needs=["tools"], because="SDKs send the name of the tool that they try out")
def test_source_is_run_by_its_name(ask: Ask, word: str) -> None:
    """POST /v1/tools/run with the name of the function runs it as without."""
    body = {"source_code": REPEATING.format(name=word), "args": {"text": "ab"}, "name": word}

    answer = ask("POST", "/v1/tools/run", body)

    must(status(answer) or equal("abab", answer.json().get("tool_return"), "what the tool returned"))


@pytest.mark.parametrize(("secrets", "told"), [({}, "nothing"), (_TOLD, "a b")], ids=["none", "secret"])
@contract("REST-TOOLS-007", needs=_NEEDS, because="a tool that lacks the key of its agent fails where nobody looks")
def test_agent_runs_its_tool(
    ask: Ask, make_letta_agent: AgentMaker, word: str, secrets: dict[str, str], told: str
) -> None:
    """A tool that an agent has is run in its name, with its secrets; what it returns and prints is told."""
    agent = make_letta_agent(secrets=secrets)
    give(ask, agent, make_tool(ask, word, PEEKING))

    answer = ask("POST", f"{agent.path}/tools/{word}/run", {"args": {}})

    must(status(answer) or echoed({"status": "success", "func_return": told}, answer.json(), "the run"))
    must(equal("looked", "".join(answer.json().get("stdout") or []).strip(), "what the tool printed"))


@contract("REST-TOOLS-008", needs=_NEEDS, because="agents are given tools, and must lose them again")
def test_tool_is_given_and_taken(ask: Ask, make_letta_agent: AgentMaker, word: str) -> None:
    """An attached tool is among those of the agent, twice attached once; a detached one is not, and exists still."""
    tool, agent = make_tool(ask, word), make_letta_agent()
    before = tools_of(ask, agent)

    for _ in range(2):
        give(ask, agent, tool)
    now = tools_of(ask, agent)
    must(same_set([*before, tool["id"]], now, "tools of the agent after the attachment"))
    must(equal(1, now.count(tool["id"]), "number of times that the agent has the tool"))

    must(status(ask("PATCH", f"{agent.path}/tools/detach/{tool['id']}")))
    must(same_set(before, tools_of(ask, agent), "tools of the agent after the detachment"))
    must(status(ask("GET", f"/v1/tools/{tool['id']}")))


@contract("REST-TOOLS-009", needs=_NEEDS, because="a deleted tool that agents still name breaks their turns")
def test_deleted_tool_leaves_its_agents(ask: Ask, make_letta_agent: AgentMaker, word: str) -> None:
    """A deleted tool is gone from the agents that had it, and they can still be read."""
    tool = make_tool(ask, word)
    agent = make_letta_agent(tool_ids=[tool["id"]])
    must(contains(tools_of(ask, agent), tool["id"], "tools of the new agent"))

    must(status(ask("DELETE", f"/v1/tools/{tool['id']}"), 200, 204))

    must(lacks(tools_of(ask, agent), tool["id"], "tools of the agent"))
    must(status(ask("GET", agent.path)))


@pytest.mark.parametrize(
    ("source", "limit", "outcome", "told", "is_cut"),
    [
        pytest.param(TELLING, 1000, "success", "otter " * 90, False, id="returning"),
        pytest.param(TELLING, 99, "success", "otter " * 15, True, id="returning-much"),
        pytest.param(FAILING, 1000, "error", "no good", False, id="failing"),
    ],
)
@contract("REST-TOOLS-013", needs=[*_NEEDS, "messages", "llm"], because="a tool is made to be called by its agent")
def test_agent_calls_its_tool_in_a_turn(
    ask: Ask,
    letta_agent: Agent,
    letta_llm: ModelControl,
    word: str,
    source: str,
    limit: int,
    outcome: str,
    told: str,
    is_cut: bool,
) -> None:
    """In a turn the model gets what a tool of the agent returns or raises, cut to the limit of the tool."""
    give(ask, letta_agent, make_tool(ask, word, source, return_char_limit=limit))
    # Agents of Letta 0.11 end their turn with the call of a tool unless they ask to go on; later ones drop the word.
    script = letta_llm.script(call_tool(word, {"request_heartbeat": True}), say("Done."))

    turn = letta_agent.send(script.prompt())

    (returned,) = [one for one in turn["messages"] if one["message_type"] == "tool_return_message"] or [{}]
    must(equal(outcome, returned.get("status"), "status of the call"))
    must(contains(str(returned.get("tool_return")), told, "what the turn tells of the call"))
    asked = str(letta_llm.requests(script)[-1].body)
    must(contains(asked, told, "what the model was asked after the call"))
    must(lacks(asked, "otter " * 20, "what the model was asked after the call") if is_cut else None)
    must(equal("Done.", turn["messages"][-1].get("content"), "end of the turn"))
