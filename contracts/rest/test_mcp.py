"""MCP: a server of tools is connected, its tools are listed and run, follow its changes, and go with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import contains, echoed, equal, event_stream, lacks, refused, status
from pytest_letta.llm import call_tool, say

from .mcp import config_of, events_of
from .tools import give, tools_of

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.ownership import Ledger

    from .asking import Ask

_NEEDS = ["tools"]
_BECAUSE = "agents reach other systems by MCP; a tool that is listed and cannot be called is worse than none"
_SERVERS = "/v1/mcp-servers/"


def _connected(ask: Callable[..., httpx.Response], ledger: Ledger, python: str, word: str) -> dict[str, Any]:
    answer = ask("POST", _SERVERS, json={"server_name": ledger.name(), "config": config_of(python, word)})
    if answer.status_code == 404:
        not_applicable(f"this server does not serve POST {_SERVERS}")
    if answer.status_code == 400 and "stdio" in answer.text:
        not_applicable(
            "this server starts no MCP servers of its own: it was not started with MCP_DISABLE_STDIO=false"
        )
    must(status(answer, 200, 201))
    ledger.enter(f"{_SERVERS}{answer.json()['id']}")
    return dict(answer.json())


@pytest.fixture(scope="module")
def shared_word(letta_shared_ledger: Ledger) -> str:
    """The name of the tool of the MCP server that several contracts look at."""
    return letta_shared_ledger.name().replace("-", "_")


@pytest.fixture(scope="module")
def shared(letta_client: httpx.Client, letta_shared_ledger: Ledger, python: str, shared_word: str) -> dict[str, Any]:
    """A connected MCP server with one tool, which none of the contracts changes."""
    return _connected(letta_client.request, letta_shared_ledger, python, shared_word)


@pytest.fixture
def server(letta_client: httpx.Client, letta_ledger: Ledger, python: str, word: str) -> dict[str, Any]:
    """A connected MCP server with one tool called `word`."""
    return _connected(letta_client.request, letta_ledger, python, word)


def _tools_of(ask: Ask, server: dict[str, Any]) -> list[dict[str, Any]]:
    answer = ask("GET", f"{_SERVERS}{server['id']}/tools")
    must(status(answer))
    return list(answer.json())


@contract("REST-MCP-001", needs=_NEEDS, because=_BECAUSE)
def test_connected_server_is_read_and_listed(ask: Ask, shared: dict[str, Any], python: str, shared_word: str) -> None:
    """A connected MCP server comes back as it was sent, when it is made, read and listed."""
    expected = {"server_name": shared["server_name"], **config_of(python, shared_word)}

    must(echoed(expected, shared, "the new MCP server"))
    read = ask("GET", f"{_SERVERS}{shared['id']}")
    must(status(read) or echoed(expected, read.json(), "the MCP server when read"))
    listed = ask("GET", _SERVERS)
    must(status(listed))
    (own,) = [one for one in listed.json() if one["id"] == shared["id"]] or [{}]
    must(echoed(expected, own, "the MCP server when listed"))


@contract("REST-MCP-002", needs=_NEEDS, because=_BECAUSE)
def test_tools_of_a_server_are_listed_and_run(ask: Ask, shared: dict[str, Any], shared_word: str) -> None:
    """The tools of an MCP server have its names, texts and parameters; run, they give what the server gives."""
    tools = _tools_of(ask, shared)
    must(equal([shared_word], [one["name"] for one in tools], "tools of the MCP server"))
    must(equal("Repeat a text.", tools[0].get("description"), "description of the tool"))
    must(contains(tools[0]["json_schema"]["parameters"]["properties"], "times", "parameters of the tool"))

    path = f"{_SERVERS}{shared['id']}/tools/{tools[0]['id']}"
    must(status(ask("GET", path)))
    run = ask("POST", f"{path}/run", {"args": {"text": "\U0001f9a6 ", "times": 3}})
    must(status(run) or echoed({"status": "success", "func_return": "\U0001f9a6 " * 3}, run.json(), "the run"))
    failed = ask("POST", f"{path}/run", {"args": {"text": ""}})
    must(status(failed) or echoed({"status": "error"}, failed.json(), "the run of a tool that fails"))
    must(contains(str(failed.json().get("func_return")), "nothing to repeat", "what the failing tool told"))


@contract("REST-MCP-003", needs=[*_NEEDS, "llm", "messages"], because=_BECAUSE)
def test_agent_calls_a_tool_of_a_server(
    ask: Ask, letta_agent: Agent, letta_llm: ModelControl, shared: dict[str, Any], shared_word: str
) -> None:
    """An agent to which a tool of an MCP server is attached calls it in a turn, and the model gets what it gives."""
    (tool,) = _tools_of(ask, shared)
    give(ask, letta_agent, tool)
    script = letta_llm.script(call_tool(shared_word, {"text": "otter ", "times": 2}), say("Done."))

    turn = letta_agent.send(script.prompt())

    returns = [one for one in turn["messages"] if one["message_type"] == "tool_return_message"]
    must(equal(["otter otter "], [one.get("tool_return") for one in returns], "returns of the tool in the turn"))
    must(contains(str(letta_llm.requests(script)[-1]), "otter otter ", "what the model was asked after the call"))


@contract("REST-MCP-004", needs=_NEEDS, because="servers of tools are updated; agents must not call what is no more")
def test_refresh_follows_the_server(ask: Ask, letta_ledger: Ledger, server: dict[str, Any], python: str) -> None:
    """After an MCP server has another tool, and a refresh, the new one is listed and the old one is gone."""
    other = letta_ledger.name().replace("-", "_")
    must(status(ask("PATCH", f"{_SERVERS}{server['id']}", {"config": config_of(python, other)})))

    must(status(ask("PATCH", f"{_SERVERS}{server['id']}/refresh")))

    must(equal([other], [one["name"] for one in _tools_of(ask, server)], "tools of the MCP server after the refresh"))


@contract("REST-MCP-005", needs=_NEEDS, because="tools of a server that is gone fail in the midst of a turn")
def test_deleted_server_takes_its_tools_along(ask: Ask, letta_agent: Agent, server: dict[str, Any]) -> None:
    """A deleted MCP server is gone by id and from the list, and its tools are gone from their agents, too."""
    (tool,) = _tools_of(ask, server)
    give(ask, letta_agent, tool)

    must(status(ask("DELETE", f"{_SERVERS}{server['id']}"), 200, 204))

    must(refused(ask("GET", f"{_SERVERS}{server['id']}"), 404, naming=server["id"]))
    must(lacks([one["id"] for one in ask("GET", _SERVERS).json()], server["id"], "list of MCP servers"))
    must(refused(ask("GET", f"/v1/tools/{tool['id']}"), 404, naming=tool["id"]))
    must(lacks(tools_of(ask, letta_agent), tool["id"], "tools of the agent"))


@pytest.mark.parametrize(
    ("method", "below"),
    [
        pytest.param("GET", "", id="read"),
        pytest.param("PATCH", "", id="update"),
        pytest.param("DELETE", "", id="delete"),
        pytest.param("GET", "/tools", id="tools"),
        pytest.param("PATCH", "/refresh", id="refresh"),
    ],
)
@contract("REST-MCP-007", needs=_NEEDS, because="an unknown server that looks empty hides a mistyped id")
def test_unknown_server_is_refused(ask: Ask, unknown: str, method: str, below: str) -> None:
    """Whatever is asked of an MCP server that does not exist is refused with 404 that names it."""
    id = f"mcp_server-{unknown}"
    body = {"config": config_of("python", "x")} if method == "PATCH" and not below else None

    must(refused(ask(method, f"{_SERVERS}{id}{below}", body), 404, naming=id))


@contract(
    "REST-MCP-006", level="should", needs=_NEEDS, because="a typing mistake in a command is found by who makes it"
)
def test_server_that_cannot_be_started_is_told(ask: Ask, letta_ledger: Ledger, server: dict[str, Any]) -> None:
    """An MCP server whose command does not exist is refused, or its refresh is, by 4xx."""
    config = {"mcp_server_type": "stdio", "command": "pytest-letta-no-such-command", "args": []}
    made = ask("POST", _SERVERS, {"server_name": letta_ledger.name(), "config": config})
    answer: httpx.Response = made

    if made.is_success:
        answer = ask("PATCH", f"{_SERVERS}{made.json()['id']}/refresh")

    must(refused(answer, 400, 404, 422, 424))


@contract("REST-MCP-008", needs=_NEEDS, because="who connects a server must see whether it works before agents do")
def test_connecting_shows_the_tools(ask: Ask, shared: dict[str, Any], shared_word: str) -> None:
    """Connecting to an MCP server tells, as a stream of events, that it succeeded, and the tools."""
    answer = ask("GET", f"{_SERVERS}connect/{shared['id']}")

    must(status(answer) or event_stream(answer))
    success = next((one for one in events_of(answer.text) if one.get("event") == "success"), {})
    must(
        equal(
            [shared_word], [one.get("name") for one in success.get("tools", ())], f"tools told by {answer.text[:200]}"
        )
    )
