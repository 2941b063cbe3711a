"""A server of tools for MCP, which Letta starts beside itself by its standard input and output."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_letta import must, not_applicable
from pytest_letta.conformance.checks import status

if TYPE_CHECKING:
    import httpx

#: A server by the official SDK, which Letta has itself.
_SERVER = '''
from mcp.server.fastmcp import FastMCP

server = FastMCP("pytest-letta")

@server.tool()
def {name}(text: str, times: int = 2) -> str:
    """Repeat a text."""
    if not text:
        raise ValueError("nothing to repeat")
    return text * times

server.run()
'''
_WHICH = '''
def pytest_letta_which() -> str:
    """Tell which Python runs tools, where it has the SDK of MCP."""
    import sys

    import mcp.server.fastmcp

    return sys.executable
'''


def python_of(client: httpx.Client) -> str:
    """Return the path of a Python beside the server that has the SDK of MCP.

    The server runs tools with its own one, unless it has a sandbox elsewhere; that is not looked for.
    """
    answer = client.post("/v1/tools/run", json={"source_code": _WHICH, "args": {}})
    must(status(answer))
    returned = answer.json()
    if returned.get("status") != "success":
        not_applicable(f"no Python with the package mcp is known beside the server: {returned.get('tool_return')}")
    return str(returned["tool_return"])


def config_of(python: str, name: str) -> dict[str, Any]:
    """Return how Letta starts a server with one tool of that name."""
    # One word: Letta 0.16 cuts arguments at spaces.
    source = f"exec(bytes.fromhex('{_SERVER.format(name=name).encode().hex()}'))"
    return {"mcp_server_type": "stdio", "command": python, "args": ["-c", source]}


def events_of(text: str) -> list[dict[str, Any]]:
    """Return the events of a stream that tells how a connection went."""
    lines = (line.removeprefix("data:").strip() for line in text.splitlines() if line.startswith("data:"))
    return [json.loads(line) for line in lines if line.startswith("{")]
