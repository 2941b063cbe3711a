"""What old documentation shows: which of it still works here, and what to use in its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import pytest
import yaml

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import contains, lacks, status

if TYPE_CHECKING:
    import httpx

    from pytest_letta import Deployment
    from pytest_letta.agent import AgentMaker
    from pytest_letta.handles import Handles
    from pytest_letta.ownership import Ledger


@dataclass(frozen=True)
class Call:
    """One entry of the table, as old_calls.yaml describes its fields."""

    old: str
    lived: str
    new: str
    needs: str
    shows: str
    hides: str = ""


_CALLS: Mapping[str, Call] = {
    case: Call(**entry)
    for case, entry in yaml.safe_load(Path(__file__).with_name("old_calls.yaml").read_text(encoding="utf-8")).items()
}
_PASSAGES = ("Zoe keeps a parrot.", "Concrete sets in weeks.")
_WORDS = ("agent", "block", "tool", "model", "embedding", "name", "tags")

#: Sends a call of the table, and gives what is wrong with the answer, None when it does what it is for.
Try = Callable[[str, Call], "str | None"]


@pytest.fixture
def attempt(
    letta_client: httpx.Client,
    letta_handles: Handles,
    make_letta_agent: AgentMaker,
    letta_ledger: Ledger,
) -> Try:
    """Send a call on an agent of our own that holds what the table says."""
    made = letta_client.post("/v1/blocks/", json={"label": "spare", "value": "Spare."})
    must(status(made))
    letta_ledger.enter(f"/v1/blocks/{made.json()['id']}")
    agent = make_letta_agent(memory_blocks=[{"label": "human", "value": "Ada likes tea."}])
    passages = list(_PASSAGES)
    words = {
        "agent": agent.id,
        "block": made.json()["id"],
        "tool": agent.state["tools"][0]["id"],
        "model": letta_handles.model,
        "embedding": letta_handles.embedding or "",
        "tags": json.dumps(letta_ledger.tags),
    }

    def send(line: str, call: Call) -> str | None:
        filled = {**words, "name": letta_ledger.name()}
        while "archival" in line and passages:
            agent.insert_passage(passages.pop())
        method, target, *body = Template(line).substitute(filled).split(" ", 2)
        headers = {"Content-Type": "application/json"} if body else {}
        answer = letta_client.request(method, target, content=body[0] if body else None, headers=headers)
        if target == "/v1/agents/" and method == "POST" and answer.is_success:
            letta_ledger.enter(f"/v1/agents/{answer.json()['id']}")
        shown = Template(call.shows).substitute(filled)
        return (
            status(answer)
            or contains(answer.text, shown, f"answer to {method} {target}")
            or (lacks(answer.text, call.hides, f"answer to {method} {target}") if call.hides else None)
        )

    return send


@contract(
    "REST-OLD-001",
    level="may",
    needs=["agents", "blocks", "archival"],
    because="tutorials and integrations outlive what they call: acertainKnight/project-thoth commit be4565e",
)
def test_calls_of_old_documentation_still_work(attempt: Try) -> None:
    """The calls of old documentation still do what they were for. Where one does not, it is told what replaces it."""
    gone, working = [], []
    for call in _CALLS.values():
        if attempt(call.old, call) is None:
            working.append(_shown(call.old))
        else:
            gone.append(f"{_shown(call.old)} (lived: {call.lived}) -> {_shown(call.new)}")

    told = [f"{len(gone)} of {len(_CALLS)} old calls are gone here:", *gone]
    must("\n".join([*told, f"These still work: {', '.join(working)}"] if working else told) if gone else None)


@pytest.mark.parametrize("case", _CALLS)
@contract(
    "REST-OLD-002",
    level="should",
    needs=["agents", "blocks"],
    because="who is told to use another call must be able to",
)
def test_what_replaces_an_old_call_works(letta_deployment: Deployment, attempt: Try, case: str) -> None:
    """What is named in place of an old call does what that was for."""
    capability = letta_deployment.capabilities[_CALLS[case].needs]
    if not capability.available:
        not_applicable(capability.reason)

    must(attempt(_CALLS[case].new, _CALLS[case]))


def _shown(line: str) -> str:
    """Write a call as documentation does."""
    return Template(line).safe_substitute({word: "{" + word + "}" for word in _WORDS})
