"""MCP servers by their name, as clients of before 0.16 know them: tried, kept, used and removed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import contains, echoed, equal, event_stream, lacks, refused, status

from .mcp import config_of, events_of

if TYPE_CHECKING:
    import httpx

    from pytest_letta.ownership import Ledger

    from .asking import Ask

_NEEDS = ["tools"]
_BECAUSE = "half of the clients still know MCP servers by their name"
_SERVERS = "/v1/tools/mcp/servers"


def _must_start(answer: httpx.Response) -> None:
    if answer.status_code in (400, 500, 502) and "stdio" in answer.text.lower():
        not_applicable(
            "this server starts no MCP servers of its own: it was not started with MCP_DISABLE_STDIO=false"
        )
    must(status(answer))


@pytest.fixture
def server(letta_ledger: Ledger, python: str, word: str) -> dict[str, Any]:
    """What tells how Letta starts an MCP server with one tool called `word`."""
    config = config_of(python, word)
    return {"server_name": letta_ledger.name(), "type": "stdio", "command": config["command"], "args": config["args"]}


@pytest.fixture
def kept(ask: Ask, server: dict[str, Any]) -> Iterator[str]:
    """The path of that server as long as it is kept."""
    _must_start(ask("PUT", _SERVERS, server))
    path = f"{_SERVERS}/{server['server_name']}"
    yield path
    if server["server_name"] in ask("GET", _SERVERS).json():
        ask("DELETE", path).raise_for_status()


@contract("REST-MCP-011", needs=_NEEDS, because="a typing mistake in a command is found by who makes it")
def test_server_is_tried_without_being_kept(ask: Ask, server: dict[str, Any], word: str) -> None:
    """Trying an MCP server shows its tools, or that it cannot be started, and keeps nothing."""
    tried = ask("POST", f"{_SERVERS}/test", server)

    _must_start(tried)
    must(contains(tried.text, f'"{word}"', "what trying the server shows"))
    # 502, where the command fails as another server would; 4xx, where it is taken for a mistake of the client.
    wrong = ask("POST", f"{_SERVERS}/test", {**server, "command": "pytest-letta-no-such-command"})
    must(refused(wrong, 400, 422, 424, 502))
    must(lacks(ask("GET", _SERVERS).json(), server["server_name"], "MCP servers that are kept"))


@contract("REST-MCP-012", needs=_NEEDS, because=_BECAUSE)
def test_kept_server_is_listed_and_removed(ask: Ask, server: dict[str, Any], kept: str, word: str) -> None:
    """A kept MCP server is listed as it was sent, with its tools; once removed, it is not."""
    listed = ask("GET", _SERVERS)
    must(status(listed) or contains(listed.json(), server["server_name"], "MCP servers that are kept"))
    must(echoed(server, listed.json()[server["server_name"]], "the MCP server when listed"))
    tools = ask("GET", f"{kept}/tools")
    must(status(tools) or equal([word], [one["name"] for one in tools.json()], "tools of the MCP server"))

    must(status(ask("DELETE", kept), 200, 204))

    must(lacks(ask("GET", _SERVERS).json(), server["server_name"], "MCP servers after the removal"))


@contract("REST-MCP-013", needs=_NEEDS, because=_BECAUSE)
def test_tool_of_a_kept_server_is_taken_and_called(ask: Ask, letta_ledger: Ledger, kept: str, word: str) -> None:
    """A tool of a kept MCP server becomes one of Letta under its name, stays when synced anew, and is called."""
    added = ask("POST", f"{kept}/{word}")
    must(status(added) or equal(word, added.json().get("name"), "name of the tool"))
    letta_ledger.enter(f"/v1/tools/{added.json()['id']}")

    must(status(ask("POST", f"{kept}/resync")))

    listed = ask("GET", "/v1/tools/", name=word)
    must(status(listed) or equal([added.json()["id"]], [one["id"] for one in listed.json()], "tools of that name"))
    called = ask("POST", f"{kept}/tools/{word}/execute", {"args": {"text": "ab", "times": 3}})
    must(status(called) or echoed({"result": "ababab", "success": True}, called.json(), "the call"))


@contract("REST-MCP-014", needs=_NEEDS, because="a mistyped name must be told, not be taken for an empty server")
def test_unknown_name_is_refused(ask: Ask, letta_ledger: Ledger) -> None:
    """The tools of an MCP server that is not kept are refused by 404 that names it, and so is its removal."""
    name = letta_ledger.name()

    must(refused(ask("GET", f"{_SERVERS}/{name}/tools"), 404, naming=name))
    must(refused(ask("DELETE", f"{_SERVERS}/{name}"), 404, naming=name))


@pytest.mark.parametrize("command", [None, "pytest-letta-no-such-command"], ids=["right", "wrong"])
@contract("REST-MCP-015", needs=_NEEDS, because="who connects a server must see whether it works before agents do")
def test_connecting_tells_how_it_went(ask: Ask, server: dict[str, Any], word: str, command: str | None) -> None:
    """Connecting to an MCP server tells, as a stream of events, its tools, or that it cannot be started."""
    answer = ask("POST", f"{_SERVERS}/connect", {**server, "command": command or server["command"]})

    _must_start(answer)
    must(event_stream(answer))
    last = events_of(answer.text)[-1]
    must(equal("error" if command else "success", last.get("event"), f"last event of {answer.text[:300]}"))
    tools = [one.get("name") for one in last.get("tools", ())]
    must(None if command else equal([word], tools, "tools of the server"))


@contract("REST-MCP-016", needs=_NEEDS, because="servers of tools are updated; agents must not call what is no more")
def test_resync_follows_the_server(
    ask: Ask, letta_ledger: Ledger, server: dict[str, Any], kept: str, word: str, python: str
) -> None:
    """After a kept MCP server has another tool, a resync tells which went and which came, and the old one is gone."""
    taken = ask("POST", f"{kept}/{word}")
    must(status(taken))
    other = letta_ledger.name().replace("-", "_")
    changed = {**server, "args": config_of(python, other)["args"]}
    must(status(ask("PATCH", kept, {"stdio_config": changed})))

    resync = ask("POST", f"{kept}/resync")

    must(status(resync) or echoed({"deleted": [word], "added": [other]}, resync.json(), "the resync"))
    must(refused(ask("GET", f"/v1/tools/{taken.json()['id']}"), 404, naming=taken.json()["id"]))
