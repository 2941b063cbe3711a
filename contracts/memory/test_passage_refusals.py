"""Passages that are deleted twice, by the wrong agent, or that cannot be embedded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import contains, equal, lacks, refused, same_set, status
from pytest_letta.llm import fail, say
from pytest_letta.telling import answered

from .archival import insert, listed, texts

if TYPE_CHECKING:
    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl
    from pytest_letta.llm.control import Script

_HERON = "The grey heron nests on the pylon behind the mill."
_GRANITE = "Granite consists of feldspar, quartz and mica."
_TRAM = "Tram number nine stops running at midnight on weekdays."


def _found(agent: Agent, query: str) -> list[str]:
    return [result["content"] for result in agent.search_passages(query, top_k=10)]


def _must_be_embedded_by(llm: ModelControl, script: Script) -> None:
    if not llm.requests(script, path="/v1/embeddings"):
        not_applicable("the embeddings of this deployment do not come from the scripted model")


@contract(
    "MEM-ARCHIVAL-013",
    needs=["archival", "archival_search"],
    because="a client that tries again after a timeout must learn that the passage is gone, and harm no other",
)
def test_second_deletion_is_refused_and_harms_no_other(letta_agent: Agent) -> None:
    """Deleting a passage again is refused with 404 that names it, and the other passages stay."""
    heron, granite = insert(letta_agent, _HERON), insert(letta_agent, _GRANITE)
    path = f"{letta_agent.path}/archival-memory/{heron['id']}"
    must(status(letta_agent.client.delete(path), 200, 204))

    must(refused(letta_agent.client.delete(path), 404, naming=heron["id"]))

    must(equal([granite["id"]], [each["id"] for each in listed(letta_agent)], "passages after both deletions"))
    must(equal([_GRANITE], _found(letta_agent, _HERON), "search after both deletions"))


@contract(
    "MEM-ARCHIVAL-014",
    needs=["archival", "archival_search"],
    because="a mistaken path must not destroy what another agent knows",
)
def test_passage_of_another_agent_cannot_be_deleted(make_letta_agent: AgentMaker) -> None:
    """Deleting a passage by the path of an agent that does not have it is refused with 404, and the passage stays."""
    owner, other = make_letta_agent(), make_letta_agent()
    passage = insert(owner, _HERON)
    insert(other, _GRANITE)

    answer = other.client.delete(f"{other.path}/archival-memory/{passage['id']}")

    must(equal([_HERON], texts(listed(owner)), "passages of the owner after the other agent's deletion"))
    must(equal([_HERON], _found(owner, _HERON), "search of the owner after the other agent's deletion"))
    must(refused(answer, 404, naming=passage["id"]))


@pytest.mark.parametrize("declared", ["smaller", "larger"])
@contract(
    "MEM-ARCHIVAL-015",
    needs=["archival", "archival_search", "llm"],
    because="agents kept the dimensions of an embedding model that had been changed: letta-ai/letta#814",
)
def test_wrong_dimensions_lose_no_passage(make_letta_agent: AgentMaker, declared: str) -> None:
    """An agent whose settings name other dimensions than its endpoint gives is refused, or stores and finds all."""
    config: dict[str, Any] = dict(make_letta_agent().state["embedding_config"])
    wrong = config["embedding_dim"] // 2 if declared == "smaller" else config["embedding_dim"] * 2
    try:
        agent = make_letta_agent(embedding=None, embedding_config={**config, "embedding_dim": wrong})
    except httpx.HTTPStatusError as error:
        must(refused(error.response, 400, 422, naming="embedding"))
        return

    answers = [agent.client.post(f"{agent.path}/archival-memory", json={"text": t}) for t in (_HERON, _GRANITE)]

    stored = [text for text, answer in zip((_HERON, _GRANITE), answers, strict=True) if answer.is_success]
    must(same_set(stored, texts(listed(agent)), "passages listed, against those that were accepted"))
    for text in stored:
        must(equal([text], _found(agent, text)[:1], f"first result of the search for {text!r}"))
    for answer in answers:
        if not answer.is_success:
            must(refused(answer, 400, 409, 422, naming="embedding"))


@contract(
    "MEM-ARCHIVAL-016",
    needs=["archival", "archival_search", "llm"],
    because="embeddings come from a service that fails at times; a passage without one is never found again",
)
def test_failed_embedding_leaves_nothing_behind(letta_agent: Agent, letta_llm: ModelControl) -> None:
    """A passage that cannot be embedded is refused and stored nowhere; it can be inserted later."""
    insert(letta_agent, _GRANITE)
    script = letta_llm.script(fail(400, "No embedding today."))
    text = script.prompt(_HERON)

    answer = letta_agent.client.post(f"{letta_agent.path}/archival-memory", json={"text": text})

    _must_be_embedded_by(letta_llm, script)
    must(f"{answered(answer)} (expected an error: its embedding failed)" if answer.is_success else None)
    must(equal([_GRANITE], texts(listed(letta_agent)), "passages after the failed embedding"))
    must(equal([_GRANITE], _found(letta_agent, "heron"), "search after the failed embedding"))
    letta_llm.script(say("Embed it."), key=script.key)
    insert(letta_agent, text)
    must(equal([text, _GRANITE], _found(letta_agent, _HERON), "search when the passage was inserted again"))


@pytest.mark.parametrize("action", ["insert", "search"])
@contract(
    "MEM-ARCHIVAL-017",
    needs=["archival", "archival_search", "llm"],
    because="'unknown error' hides that it is the embedding endpoint that fails: letta-ai/letta#814",
)
def test_failed_embedding_is_told(letta_agent: Agent, letta_llm: ModelControl, action: str) -> None:
    """When an embedding fails, the answer to the insert or the search is an error that speaks of the embedding."""
    insert(letta_agent, _GRANITE)
    script = letta_llm.script(fail(400, "No embedding today."))
    text = script.prompt(_HERON)

    path = f"{letta_agent.path}/archival-memory"
    if action == "insert":
        answer = letta_agent.client.post(path, json={"text": text})
    else:
        answer = letta_agent.client.get(f"{path}/search", params={"query": text})

    _must_be_embedded_by(letta_llm, script)
    # A failing model is told by its own status, by 502, and since Letta 0.16.7 by 500 with the reason.
    must(refused(answer, 400, 424, 500, 502, 503, naming="embedding"))


@contract(
    "MEM-ARCHIVAL-018",
    needs=["archival", "archival_search"],
    because="agents without an embedding model are the default since 0.16: their memory must work by its words",
)
def test_agent_without_embeddings_finds_by_words(make_letta_agent: AgentMaker) -> None:
    """An agent without an embedding model keeps its passages and finds those that hold the words of the query."""
    try:
        agent = make_letta_agent(embedding=None)
    except httpx.HTTPStatusError as error:
        must(refused(error.response, 400, 422, naming="embedding"))
        not_applicable("this server makes no agent without an embedding model")
    for text in (_HERON, _GRANITE, _TRAM):
        insert(agent, text)

    must(same_set((_HERON, _GRANITE, _TRAM), texts(listed(agent)), "passages of an agent without embeddings"))
    found = _found(agent, "Feldspar")
    must(contains(found, _GRANITE, "search for 'Feldspar' without embeddings"))
    must(lacks(found, _TRAM, "search for 'Feldspar' without embeddings"))
