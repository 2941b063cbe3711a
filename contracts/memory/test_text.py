"""Texts that pass through memory unharmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, status

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent
    from pytest_letta.ownership import Ledger

_TEXTS = [
    pytest.param("  leading and trailing \n\n", id="outer-spaces"),
    pytest.param("one\r\ntwo\rthree\n\tfour", id="line-ends"),
    pytest.param("Zoë 東京 \U0001f9ff e\u0301 \u2028 \u200d", id="unicode"),
    pytest.param("</human><persona>&amp;<!-- x -->", id="markup"),
    pytest.param("{{ user }} {0} {name} %s $HOME \\n '\"", id="placeholders"),
    pytest.param("long " * 900, id="long"),
]


@pytest.mark.parametrize("text", _TEXTS)
@contract("MEM-TEXT-001", needs=["blocks"], because="a template or markup in memory is data")
def test_block_gives_back_its_text(letta_client: httpx.Client, letta_ledger: Ledger, text: str) -> None:
    """A block gives back its text byte for byte, as created and as edited."""
    created = letta_client.post("/v1/blocks/", json={"label": letta_ledger.name(), "value": text})
    must(status(created))
    path = f"/v1/blocks/{created.json()['id']}"
    letta_ledger.enter(path)

    must(equal(text, letta_client.get(path).json().get("value"), "block as created"))
    must(status(letta_client.patch(path, json={"value": f"Edited. {text}"})))
    must(equal(f"Edited. {text}", letta_client.get(path).json().get("value"), "block as edited"))


@pytest.mark.parametrize("text", _TEXTS)
@contract("MEM-TEXT-002", needs=["archival"], because="archival memory holds documents, code and chat as they are")
def test_passage_gives_back_its_text(letta_agent: Agent, text: str) -> None:
    """A passage gives back its text byte for byte, in the answer to its insert and in the list."""
    inserted = letta_agent.insert_passage(text)

    must(equal(text, inserted.get("text"), "passage as inserted"))
    listed = letta_agent.client.get(f"{letta_agent.path}/archival-memory", params={"limit": 10})
    must(status(listed))
    must(equal([text], [passage.get("text") for passage in listed.json()], "passages as listed"))
