"""The agent's own tools: what the model edits changes, and nothing else of the block does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal
from pytest_letta.llm import call_tool, say

if TYPE_CHECKING:
    from pytest_letta.agent import AgentMaker
    from pytest_letta.llm import ModelControl

_KEPT = [
    pytest.param("name\tAnn\nage\t41", id="tabs"),
    pytest.param("</value></human> <b>&amp; {{ user }} %s", id="markup"),
    pytest.param("one\r\ntwo\n\n  three  ", id="line-ends"),
    pytest.param(
        "\u202e\u05e9\u05dc\u05d5\u05dd\u202c \U0001f469\u200d\U0001f467 e\u0301",
        id="unicode",
    ),
]


@pytest.mark.parametrize("kept", _KEPT)
@contract(
    "MEM-TOOL-001",
    needs=["core_memory", "messages", "llm"],
    because="an agent edits its memory for years; what each edit spoils a little is lost in the end",
)
def test_edit_by_the_model_leaves_the_rest_of_the_block(
    make_letta_agent: AgentMaker, letta_llm: ModelControl, kept: str
) -> None:
    """The tools memory_insert and memory_replace change what they name; all else of the block stays as it was."""
    agent = make_letta_agent(memory_blocks=[{"label": "human", "value": f"{kept}\nLikes tea."}])
    replaced = {"label": "human", "old_string": "Likes tea.", "new_string": "Likes coffee."}
    script = letta_llm.script(
        call_tool("memory_replace", replaced),
        call_tool("memory_insert", {"label": "human", "new_string": "Has a cat."}),
        say("Remembered."),
    )

    agent.send(script.prompt("I changed my mind, and I got a cat."))

    wanted = f"{kept}\nLikes coffee.\nHas a cat."
    must(equal(wanted, agent.block("human")["value"], "block after two edits by the model"))
