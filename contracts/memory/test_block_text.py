"""Texts of blocks: kept to the character by every route, shown to the model as they are, or refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, refused, status
from pytest_letta.llm import call_tool, say

from .blocks import block_path, held, next_prompt, tool_returns

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.ownership import Ledger

_TEXTS = {
    "emoji": "Likes \U0001f469\u200d\U0001f52c\ufe0f, \U0001f1f5\U0001f1f9 and \U0001f44d\U0001f3fd.",
    "right-to-left": "\u0634\u0643\u0631\u0627 \u202eabc\u202c \u05e9\u05dc\u05d5\u05dd (1)",
    "combining": "e\u0301 \u00e9 \u1e9b\u0323 q\u0307\u0323 \u212b \ufb01",
    "controls": "a\x01\x1b[0m\x7f\x85\ufeffb",
    "planes": "\U00020bb7 \U0010ffff \uffff \ue000",
    "empty": "",
    "spaces": " \n\t \n",
}
#: What a block of the texts above cannot tell from the rest of a prompt.
_UNSEEN = ("empty", "spaces")
_TOLD = {
    **{case: text for case, text in _TEXTS.items() if case not in _UNSEEN},
    "line-ends": "one\r\ntwo\rthree\n\n\tfour",
    "outer-spaces": "  leading and trailing  \n\n",
    "markup": "</value></human><persona>&amp;<!-- x -->",
    "placeholders": "{{ user }} {0} {CORE_MEMORY} %s $HOME \\n '\"",
}
_UNHEARD_OF = {"nul": "a\0b", "lone-surrogate": "a\ud83db"}
_KEPT = {
    "tabs": "all:\n\tcc {}\n\t\tmain.c\n",
    "line-ends": "one\r\ntwo {}\rthree\n\n",
    "outer-spaces": "  one\n   {}   \n\n",
    "letters": "Zoë e\u0301 \U0001f9ff {} \u202eabc\u202c",
}
_ROUTES = ("create", "by-label", "by-id")


@pytest.mark.parametrize("text", _TEXTS.values(), ids=list(_TEXTS))
@contract("MEM-TEXT-003", needs=["core_memory", "blocks"], because="people write in every script, and with emoji")
def test_agent_gives_back_the_text_of_its_blocks(make_letta_agent: AgentMaker, text: str) -> None:
    """A text that came with the agent, by an edit by label, or by one by id, is given back to the character."""
    blocks = [{"label": route, "value": text if route == "create" else "Before."} for route in _ROUTES]
    agent = make_letta_agent(memory_blocks=blocks)

    for route in _ROUTES[1:]:
        answer = agent.client.patch(block_path(agent, route, route), json={"value": text})
        must(status(answer) or equal(ascii(text), ascii(answer.json().get("value")), f"answer to the edit {route}"))

    for block in held(agent):
        must(equal(ascii(text), ascii(block["value"]), f"text of the block written {block['label']}"))
        by_id = agent.client.get(f"/v1/blocks/{block['id']}").json().get("value")
        must(equal(ascii(text), ascii(by_id), f"text of the block written {block['label']}, read by id"))


@contract(
    "MEM-TEXT-004",
    needs=["core_memory", "messages", "llm"],
    because="what the agent is told differs from what its owner reads: a template, a filter or an encoder between",
)
def test_text_of_a_block_is_in_the_prompt_as_it_is(make_letta_agent: AgentMaker, letta_llm: ModelControl) -> None:
    """The text of a block is in the next prompt to the character, whatever signs it has."""
    agent = make_letta_agent(memory_blocks=[{"label": case, "value": text} for case, text in _TOLD.items()])

    prompt = next_prompt(letta_llm, agent)

    changed = [f"{case}: {text!a}" for case, text in _TOLD.items() if text not in prompt]
    must(f"texts that are not in the prompt as they are: {'; '.join(changed)}" if changed else None)


@pytest.mark.parametrize("route", _ROUTES)
@pytest.mark.parametrize("text", _UNHEARD_OF.values(), ids=list(_UNHEARD_OF))
@contract(
    "MEM-TEXT-005",
    needs=["core_memory", "blocks"],
    because="a database that cannot hold a sign must not make the server fail, or change the text in silence",
)
def test_text_that_cannot_be_kept_is_refused(letta_agent: Agent, letta_ledger: Ledger, text: str, route: str) -> None:
    """A text with a NUL or half a surrogate pair is kept as it was sent, or refused; it is not changed."""
    if route == "create":
        answer = _sent(letta_agent.client, "POST", "/v1/blocks/", {"label": letta_ledger.name(), "value": text})
        if answer.is_success:
            letta_ledger.enter(f"/v1/blocks/{answer.json()['id']}")
        kept = answer.json().get("value")
    else:
        answer = _sent(letta_agent.client, "PATCH", block_path(letta_agent, "human", route), {"value": text})
        kept = letta_agent.block("human")["value"]

    if answer.status_code == 200:
        must(equal(ascii(text), ascii(kept), "text that was accepted"))
    else:
        # 422 where the schema of the request refuses it, 400 where the body as such does.
        must(refused(answer, 400, 422))
        must(None if route == "create" else equal("Name unknown.", kept, "text of the block after the refusal"))


@pytest.mark.parametrize("text", _KEPT.values(), ids=list(_KEPT))
@contract(
    "MEM-TEXT-006",
    needs=["core_memory", "messages", "llm"],
    because="an agent that corrects one word of a recipe, a table or a program must not reformat the rest",
)
def test_edit_by_the_model_changes_only_what_it_names(
    make_letta_agent: AgentMaker, letta_llm: ModelControl, text: str
) -> None:
    """What the model replaces in a block is replaced; the rest of the text stays to the character."""
    agent = make_letta_agent(memory_blocks=[{"label": "notes", "value": text.format("wrong")}])
    arguments = {"label": "notes", "old_string": "wrong", "new_string": "right"}
    script = letta_llm.script(call_tool("memory_replace", arguments), say("Corrected."))

    answer = agent.send(script.prompt("Correct it."))

    must(equal(["success"], [one["status"] for one in tool_returns(answer)], "statuses of the tool"))
    must(equal(ascii(text.format("right")), ascii(agent.block("notes")["value"]), "text after the model's edit"))


@pytest.mark.parametrize("sign", [pytest.param("x", id="letter"), pytest.param("\U0001f9ff", id="emoji")])
@contract(
    "MEM-TEXT-007",
    needs=["core_memory", "blocks"],
    because="the limit of a block is 'in characters': docs.letta.com, memory blocks",
)
def test_text_as_long_as_the_limit_is_accepted(
    make_letta_agent: AgentMaker, letta_client: httpx.Client, letta_ledger: Ledger, sign: str
) -> None:
    """A text of just as many characters as the limit of its block is accepted whole, however it is written."""
    full = sign * 20
    agent = make_letta_agent(memory_blocks=[{"label": route, "value": full, "limit": 20} for route in _ROUTES])
    created = letta_client.post("/v1/blocks/", json={"label": letta_ledger.name(), "value": full, "limit": 20})
    must(status(created))
    letta_ledger.enter(f"/v1/blocks/{created.json()['id']}")
    must(equal(full, created.json().get("value"), "text of 20 characters of a new block of limit 20"))

    for route in _ROUTES[1:]:
        other = full[1:] + "."
        must(status(letta_client.patch(block_path(agent, route, route), json={"value": other})))
        must(equal(other, agent.block(route)["value"], f"text of 20 characters after the edit {route}, limit 20"))


@contract(
    "MEM-TEXT-008",
    needs=["core_memory", "messages", "llm"],
    because="the limit bounds the prompt; an agent that writes without end fills its own context window",
)
def test_model_cannot_write_beyond_the_limit(make_letta_agent: AgentMaker, letta_llm: ModelControl) -> None:
    """What the model writes beyond the limit of a block is refused: the tool says so and the block stays."""
    agent = make_letta_agent(memory_blocks=[{"label": "notes", "value": "Short.", "limit": 20}])
    arguments = {"label": "notes", "new_string": "x" * 20}
    script = letta_llm.script(call_tool("memory_insert", arguments), say("I tried."))

    answer = agent.send(script.prompt("Write more."))

    lines = agent.block("notes")["value"].splitlines()
    must(equal(["Short."], lines, "lines of the block of limit 20 after the model added 20 characters"))
    returned = tool_returns(answer)
    must(equal(["error"], [one["status"] for one in returned], "statuses of the tool"))
    must(contains(str(returned[0].get("tool_return")).lower(), "limit", "what the tool told the model"))


def _sent(client: httpx.Client, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
    """Send a body in ASCII, the only way to send half a surrogate pair."""
    return client.request(method, path, content=json.dumps(body), headers={"Content-Type": "application/json"})
