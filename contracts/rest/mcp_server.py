"""A real MCP server with one tool, by the official SDK, which Letta has itself: what to send to have it started."""

from __future__ import annotations

from typing import Any

_SOURCE = '''
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


def command(name: str) -> dict[str, Any]:
    """Return command and arguments of a server whose tool has that name; `python` is that of Letta."""
    # One word: Letta 0.16 cuts arguments at spaces.
    source = f"exec(bytes.fromhex('{_SOURCE.format(name=name).encode().hex()}'))"
    return {"command": "python", "args": ["-c", source]}
