"""The scripted OpenAI-compatible model: deterministic, paced on command, failing on command.

::

    with serve() as server:
        script = ModelControl(server.url).script(call_tool("lookup", {"word": "tea"}), say("Found it."))
        # point an OpenAI client, or Letta, at server.base_url and send script.prompt("Look up tea.")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_letta.llm.control import ModelControl
    from pytest_letta.llm.reply import call_tool, cut, fail, malformed, say, silent
    from pytest_letta.llm.script import ScriptedModel
    from pytest_letta.llm.server import serve

__all__ = [
    "ModelControl",
    "ScriptedModel",
    "call_tool",
    "cut",
    "fail",
    "malformed",
    "say",
    "serve",
    "silent",
]

_MODULES = {"ModelControl": "control", "ScriptedModel": "script", "serve": "server"}


def __getattr__(name: str) -> Any:
    # Lazy, so that to script a reply costs no httpx, and to serve the model no httpx either.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_MODULES.get(name, 'reply')}")
    return getattr(module, name)
