"""MCP servers by their names, as clients of Letta before 0.16 know them: kept, asked, run, and followed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import contains, echoed, equal, lacks, refused, status

from .mcp_server import command

if TYPE_CHECKING:
    import httpx

    from pytest_letta.ownership import Ledger

    from .conftest import Ask

_NEEDS = ["tools"]
_SERVERS = "/v1/tools/mcp/servers"
_BECAUSE = "older clients and the web interface know a server of tools by its name"


@pytest.fixture
def name(letta_ledger: Ledger) -> str:
    """A name for a tool that no other one has."""
    return letta_ledger.name().replace("-", "_")


@pytest.fixture
def server(ask: Ask, letta_ledger: Ledger, name: str) -> str:
    """The name of a connected MCP server that has one tool, called `name`."""
    server = letta_ledger.name()
    answer = ask("PUT", _SERVERS, _config(server, name))
    if answer.status_code == 400 and "stdio" in answer.text:
        not_applicable(
            "this server starts no MCP servers of its own: it was not started with MCP_DISABLE_STDIO=false"
        )
    must(status(answer))
    for one in ask("GET", "/v1/mcp-servers/").json():
        if one["server_name"] == server:
            letta_ledger.enter(f"/v1/mcp-servers/{one['id']}")
    return server


def _config(server: str, tool: str) -> dict[str, Any]:
    return {"server_name": server, "type": "stdio", **command(tool)}


def _tools_of(ask: Ask, server: str) -> list[dict[str, Any]]:
    answer = ask("GET", f"{_SERVERS}/{server}/tools")
    must(status(answer))
    return list(answer.json())


def _problem_of_tools(tools: list[dict[str, Any]], name: str) -> str | None:
    return equal([(name, "Repeat a text.")], [(one["name"], one["description"]) for one in tools], "tools told")


@contract("REST-MCPNAME-001", needs=_NEEDS, because=_BECAUSE)
def test_server_is_kept_under_its_name(ask: Ask, server: str, name: str) -> None:
    """An MCP server that was put is in the list under its name as it was sent, and its tools are told."""
    listed = ask("GET", _SERVERS)

    must(status(listed) or contains(listed.json(), server, "MCP servers by name"))
    must(echoed(_config(server, name), listed.json()[server], "the MCP server when listed"))
    must(_problem_of_tools(_tools_of(ask, server), name))


@contract("REST-MCPNAME-002", needs=_NEEDS, because=_BECAUSE)
def test_tool_of_a_server_is_run(ask: Ask, server: str, name: str) -> None:
    """A tool of an MCP server, run by names, gives what the server gives, and tells what the server fails with."""
    path = f"{_SERVERS}/{server}/tools/{name}/execute"

    run = ask("POST", path, {"args": {"text": "\U0001f9a6 ", "times": 3}})
    failed = ask("POST", path, {"args": {"text": ""}})

    must(status(run) or echoed({"success": True, "result": "\U0001f9a6 " * 3}, run.json(), "the run"))
    must(status(failed) or echoed({"success": False}, failed.json(), "the run of a tool that fails"))
    must(contains(str(failed.json().get("result")), "nothing to repeat", "what the failing tool told"))


@contract("REST-MCPNAME-003", needs=_NEEDS, because="an agent gets a tool of a server only after it was taken over")
def test_tool_of_a_server_is_taken_over_and_follows_it(
    ask: Ask, letta_ledger: Ledger, server: str, name: str
) -> None:
    """A tool that is taken over has the schema of the server; a resync goes with what the server has now."""
    taken = ask("POST", f"{_SERVERS}/{server}/{name}")
    must(status(taken) or equal(name, taken.json().get("name"), "name of the tool"))
    read = ask("GET", f"/v1/tools/{taken.json()['id']}")
    must(status(read))
    must(contains(read.json()["json_schema"]["parameters"]["properties"], "times", "parameters of the tool"))
    other = letta_ledger.name().replace("-", "_")
    change = {"server_name": server, "stdio_config": _config(server, other)}
    must(status(ask("PATCH", f"{_SERVERS}/{server}", change)))

    resync = ask("POST", f"{_SERVERS}/{server}/resync")

    must(status(resync) or echoed({"deleted": [name], "added": [other]}, resync.json(), "the resync"))
    must(refused(ask("GET", f"/v1/tools/{taken.json()['id']}"), 404, naming=taken.json()["id"]))
    must(_problem_of_tools(_tools_of(ask, server), other))


@contract("REST-MCPNAME-004", needs=_NEEDS, because="tools of a server that is gone fail in the midst of a turn")
def test_deleted_server_takes_its_tools_along(ask: Ask, server: str, name: str) -> None:
    """A deleted MCP server is gone from the list, and a tool that was taken over from it is gone, too."""
    tool = ask("POST", f"{_SERVERS}/{server}/{name}")
    must(status(tool))

    must(status(ask("DELETE", f"{_SERVERS}/{server}"), 200, 204))

    must(lacks(ask("GET", _SERVERS).json(), server, "MCP servers by name"))
    must(refused(ask("GET", f"/v1/tools/{tool.json()['id']}"), 404, naming=tool.json()["id"]))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("GET", "{server}/tools", None, id="tools"),
        pytest.param("POST", "{server}/resync", None, id="resync"),
        pytest.param("POST", "{server}/tools/{name}/execute", {"args": {}}, id="execute"),
        pytest.param("POST", "{server}/{name}", None, id="take-over"),
        pytest.param("DELETE", "{server}", None, id="delete"),
    ],
)
@contract("REST-MCPNAME-005", needs=_NEEDS, because="a name with a typing mistake is found by who reads the answer")
def test_unknown_server_is_refused(
    ask: Ask, letta_ledger: Ledger, name: str, method: str, path: str, body: dict[str, Any] | None
) -> None:
    """What is asked of an MCP server that does not exist is refused with 404 that names it."""
    server = letta_ledger.name()

    answer = ask(method, f"{_SERVERS}/{path.format(server=server, name=name)}", body)

    must(refused(answer, 404, naming=server))


@contract("REST-MCPNAME-006", needs=_NEEDS, because="a server of tools is tried before it is kept")
def test_connection_is_tried_and_nothing_kept(ask: Ask, server: str, letta_ledger: Ledger, name: str) -> None:
    """A connection that is tried tells the tools, one that fails the command; neither keeps a server."""
    tried = letta_ledger.name()

    answer = ask("POST", f"{_SERVERS}/test", _config(tried, name))
    failing = {**_config(tried, name), "command": "pytest-letta-no-such-command"}
    failed = ask("POST", f"{_SERVERS}/test", failing)

    must(status(answer) or _problem_of_tools(answer.json()["tools"], name))
    # 502: what it depends on cannot be reached.
    must(refused(failed, 400, 404, 422, 424, 502, naming="pytest-letta-no-such-command"))
    must(lacks(ask("GET", _SERVERS).json(), tried, "MCP servers by name"))


@contract(
    "REST-MCPNAME-007", needs=_NEEDS, because="interfaces show how far a connection is; sign-in needs its steps"
)
def test_connection_tells_its_steps(ask: Ask, server: str, name: str) -> None:
    """Connecting to an MCP server, kept or not yet, is told as a stream: the attempt first, the tools last."""
    (kept,) = [one["id"] for one in ask("GET", "/v1/mcp-servers/").json() if one["server_name"] == server]

    for answer in (
        ask("POST", f"{_SERVERS}/connect", _config(server, name)),
        ask("GET", f"/v1/mcp-servers/connect/{kept}"),
    ):
        must(status(answer))
        steps = _events(answer)
        must(equal("connection_attempt", steps[0].get("event") if steps else None, "first step"))
        must(equal("success", steps[-1].get("event"), "last step"))
        must(_problem_of_tools(steps[-1]["tools"], name))


def _events(answer: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data:")) for line in answer.text.splitlines() if line.startswith("data:")]
