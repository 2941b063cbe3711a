"""Python sources of tools, and how a contract makes a tool of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_letta import must
from pytest_letta.conformance.checks import status

if TYPE_CHECKING:
    from pytest_letta.agent import Agent

    from .asking import Ask

REPEATING = '''
from typing import Optional

def {name}(text: str, times: int = 2, loud: Optional[bool] = None) -> str:
    """
    Repeat a text.

    Args:
        text (str): What to repeat.
        times (int): How often.
        loud (Optional[bool]): Whether to shout.

    Returns:
        str: The repeated text.
    """
    return (text.upper() if loud else text) * times
'''
FAILING = '''
def {name}() -> str:
    """Fail."""
    raise ValueError("no good")
'''
TELLING = '''
def {name}() -> str:
    """Tell much."""
    return "otter " * 100
'''
PEEKING = '''
def {name}() -> str:
    """Tell what is in the environment."""
    import os

    print("looked")
    return os.environ.get("PYTEST_LETTA_TOLD", "nothing")
'''


def make_tool(ask: Ask, name: str, source: str = REPEATING, **fields: Any) -> dict[str, Any]:
    """Make a tool of a source, with the function in it called `name`, and return what the server answers."""
    answer = ask("POST", "/v1/tools/", {"source_code": source.format(name=name), **fields})
    must(status(answer))
    return dict(answer.json())


def give(ask: Ask, agent: Agent, tool: dict[str, Any]) -> None:
    """Attach a tool to an agent."""
    must(status(ask("PATCH", f"{agent.path}/tools/attach/{tool['id']}")))


def tools_of(ask: Ask, agent: Agent) -> list[str]:
    """Return the ids of the tools that an agent has."""
    answer = ask("GET", f"{agent.path}/tools", limit=200)
    must(status(answer))
    return [str(one["id"]) for one in answer.json()]
