"""Labels: each block of an agent has one of its own, by which it can be reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, lacks, refused, same_set, status

from .blocks import block_path, held, new_block, next_prompt, values

if TYPE_CHECKING:
    from pytest_letta.agent import AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.ownership import Ledger

_ONE, _TWO = "The first text.", "The second text."
_LABELS = {
    "space": "project notes",
    "slash": "system/human",
    "percent": "100%20",
    "question-mark": "who?",
    "letters": "Zoë-東京",
    "empty": "",
}


@pytest.fixture
def block(letta_client: httpx.Client, letta_ledger: Ledger) -> Callable[..., dict[str, Any]]:
    return lambda value, **fields: new_block(letta_client, letta_ledger, value, **fields)


@pytest.mark.parametrize("way", ["two-new", "two-existing", "new-and-existing", "update"])
@contract(
    "MEM-LABEL-001",
    needs=["core_memory", "blocks"],
    because="a label is 'a unique identifier for the block' (docs.letta.com); what is dropped in silence is lost",
)
def test_two_blocks_of_one_label_are_refused_or_kept(
    letta_client: httpx.Client,
    make_letta_agent: AgentMaker,
    letta_ledger: Ledger,
    block: Callable[..., dict[str, Any]],
    way: str,
) -> None:
    """Two blocks of one label for one agent are refused, or both kept; neither is dropped without a word."""
    label = letta_ledger.name()
    new = [{"label": label, "value": value} for value in (_ONE, _TWO)]
    try:
        if way == "two-new":
            agent = make_letta_agent(memory_blocks=new)
        elif way == "two-existing":
            agent = make_letta_agent(block_ids=[block(**each)["id"] for each in new])
        elif way == "new-and-existing":
            agent = make_letta_agent(memory_blocks=new[:1], block_ids=[block(**new[1])["id"]])
        else:
            agent = make_letta_agent()
            ids = [block(**each)["id"] for each in new]
            answer = agent.client.patch(agent.path, json={"block_ids": ids})
            answer.raise_for_status()
    except httpx.HTTPStatusError as refusal:
        must(refused(refusal.response, 400, 409, 422, naming=label))
        return
    finally:
        # One that was dropped is stored all the same, and belongs to no agent.
        stored = letta_client.get("/v1/blocks/", params={"label": label})
        for each in stored.json() if stored.is_success else ():
            letta_ledger.enter(f"/v1/blocks/{each['id']}")

    must(same_set([_ONE, _TWO], [each["value"] for each in held(agent)], "values of the two blocks of one label"))


@contract(
    "MEM-LABEL-002",
    needs=["core_memory", "blocks"],
    because="an attached block that shadows another of its label hides memory from the agent",
)
def test_second_block_of_a_label_cannot_be_attached(
    make_letta_agent: AgentMaker, letta_ledger: Ledger, block: Callable[..., dict[str, Any]]
) -> None:
    """Attaching a second block of a label is refused with 409, and both blocks stay as they were."""
    label = letta_ledger.name()
    agent = make_letta_agent(memory_blocks=[{"label": label, "value": _ONE}])
    second = block(_TWO, label=label)

    answer = agent.client.patch(f"{agent.path}/core-memory/blocks/attach/{second['id']}")

    must(equal({label: _ONE}, values(agent), "blocks of the agent after the second was attached"))
    must(refused(answer, 409, naming=label))
    must(equal(_TWO, agent.client.get(f"/v1/blocks/{second['id']}").json().get("value"), "second block by id"))


@pytest.mark.parametrize("route", ["by-label", "by-id"])
@contract(
    "MEM-LABEL-003",
    needs=["core_memory", "blocks", "messages", "llm"],
    because="the agent and its owner call a block by its label; two names for one block split its memory",
)
def test_new_label_is_in_every_view(
    make_letta_agent: AgentMaker,
    letta_llm: ModelControl,
    letta_ledger: Ledger,
    block: Callable[..., dict[str, Any]],
    route: str,
) -> None:
    """A block that got another label has it, and no longer the old one, in every view and in the next prompt."""
    shared = block(_ONE)
    agent, other = (make_letta_agent(block_ids=[shared["id"]]) for _ in range(2))
    old, new = shared["label"], letta_ledger.name()

    must(status(agent.client.patch(block_path(agent, old, route), json={"label": new})))

    for holder in (agent, other):
        must(refused(agent.client.get(f"{holder.path}/core-memory/blocks/{old}"), 404, naming=old))
        must(equal(shared["id"], holder.block(new)["id"], f"block of {holder.id} by its new label"))
        must(equal({new: _ONE}, values(holder), f"list of the blocks of {holder.id}"))
        state = holder.client.get(holder.path)
        must(status(state) or contains(state.text, new, "agent") or lacks(state.text, old, "agent"))
    must(equal(new, agent.client.get(f"/v1/blocks/{shared['id']}").json().get("label"), "label by id"))
    prompt = next_prompt(letta_llm, agent)
    must(contains(prompt, new, "prompt after the change of the label") or lacks(prompt, old, "prompt after it"))


@pytest.mark.parametrize("route", ["by-label", "by-id"])
@contract(
    "MEM-LABEL-004",
    needs=["core_memory", "blocks"],
    because="two blocks of one label in one agent: which is read by it, nobody can say",
)
def test_label_of_another_block_cannot_be_taken(
    make_letta_agent: AgentMaker, letta_ledger: Ledger, route: str
) -> None:
    """Giving a block the label of another block of its agent is refused with 409, and both stay as they were."""
    first, second = letta_ledger.name(), letta_ledger.name()
    agent = make_letta_agent(memory_blocks=[{"label": first, "value": _ONE}, {"label": second, "value": _TWO}])

    answer = agent.client.patch(block_path(agent, first, route), json={"label": second})

    must(equal({first: _ONE, second: _TWO}, values(agent), "blocks after the label of the other was given"))
    must(refused(answer, 409, naming=second))


@pytest.mark.parametrize("label", [pytest.param(label, id=case) for case, label in _LABELS.items()])
@contract(
    "MEM-LABEL-005",
    needs=["core_memory"],
    because="a block that cannot be reached by its label cannot be corrected; Letta's own labels have slashes",
)
def test_block_of_any_label_is_reached_by_it(make_letta_agent: AgentMaker, label: str) -> None:
    """A block is read and edited by its label, whatever signs that has, or the label is refused when given."""
    try:
        agent = make_letta_agent(memory_blocks=[{"label": label, "value": _ONE}])
    except httpx.HTTPStatusError as refusal:
        must(refused(refusal.response, 400, 422, naming="label"))
        return
    must(equal([label], list(values(agent)), "labels of the agent's blocks"))
    path = f"{agent.path}/core-memory/blocks/{quote(label, safe='')}"

    read = agent.client.get(path)
    must(status(read) or equal(_ONE, _field(read, "value"), f"value of the block labelled {label!r}"))
    edited = agent.client.patch(path, json={"value": _TWO})
    must(status(edited) or equal({label: _TWO}, values(agent), "blocks after the edit by label"))


def _field(answer: httpx.Response, name: str) -> object:
    body = answer.json()
    return body.get(name) if isinstance(body, dict) else body
