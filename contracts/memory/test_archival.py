"""Archival memory: what goes in is found again, and what is deleted is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, lacks, status
from pytest_letta.llm import call_tool, say

if TYPE_CHECKING:
    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.llm import ModelControl

_HERON = "The grey heron nests on the pylon behind the mill."
_GRANITE = "Granite consists of feldspar, quartz and mica."
_TRAM = "Tram number nine stops running at midnight on weekdays."
_TEXTS = (_HERON, _GRANITE, _TRAM)


def _found(agent: Agent, query: str) -> list[str]:
    return [result.get("content", "") for result in agent.search_passages(query)]


def _listed(agent: Agent) -> list[dict[str, Any]]:
    answer = agent.client.get(f"{agent.path}/archival-memory", params={"limit": 100})
    must(status(answer))
    return list(answer.json())


@contract(
    "MEM-ARCHIVAL-001",
    needs=["archival", "archival_search"],
    because="a wrong embedding endpoint or dimension breaks insert and search: letta-ai/letta#814",
)
def test_passage_is_found_by_its_own_words(letta_agent: Agent) -> None:
    """Each passage that was inserted is among the results of a search for its own words."""
    for text in _TEXTS:
        letta_agent.insert_passage(text)

    for text in _TEXTS:
        must(contains(_found(letta_agent, text), text, f"results of the search for {text!r}"))


@contract(
    "MEM-ARCHIVAL-002",
    needs=["archival", "archival_search", "llm"],
    because="an agent reads the first results only; the scripted embeddings make nearness a matter of shared words",
)
def test_search_gives_the_nearest_passage_first(letta_agent: Agent) -> None:
    """A search gives first the passage that shares the most words with the query, and no more than was asked for."""
    for text in _TEXTS:
        letta_agent.insert_passage(text)

    for query, nearest in (("heron pylon", _HERON), ("quartz and mica", _GRANITE), ("tram at midnight", _TRAM)):
        must(equal([nearest], _found(letta_agent, query)[:1], f"first result of the search for {query!r}"))
        one = letta_agent.search_passages(query, top_k=1)
        must(equal([nearest], [result.get("content") for result in one], f"the one result asked for with {query!r}"))


@contract(
    "MEM-ARCHIVAL-003",
    needs=["archival", "archival_search"],
    because="what a user had deleted must not come back in an answer of the agent",
)
def test_deleted_passage_is_gone_from_list_and_search(letta_agent: Agent) -> None:
    """A deleted passage is gone from the list and from every search; the others stay."""
    heron, granite = letta_agent.insert_passage(_HERON), letta_agent.insert_passage(_GRANITE)
    # Seen before, so that its absence afterwards is due to the deletion.
    must(contains(_found(letta_agent, _HERON), _HERON, "results before the deletion"))
    must(contains([passage["id"] for passage in _listed(letta_agent)], heron["id"], "list before the deletion"))

    must(status(letta_agent.client.delete(f"{letta_agent.path}/archival-memory/{heron['id']}"), 200, 204))

    must(lacks(_found(letta_agent, _HERON), _HERON, "search after the deletion"))
    ids = [passage["id"] for passage in _listed(letta_agent)]
    must(lacks(ids, heron["id"], "list after the deletion"))
    must(contains(ids, granite["id"], "list after the deletion of another passage"))


@contract(
    "MEM-ARCHIVAL-004",
    needs=["archival", "archival_search", "llm"],
    because="the model's archival tools ignored the agent's embedding model: letta-ai/letta#3209",
)
def test_what_the_model_archives_is_found(make_letta_agent: AgentMaker, letta_llm: ModelControl) -> None:
    """A passage that the model stores with its own tool is found by its search tool and over REST."""
    agent = make_letta_agent(tools=["archival_memory_insert", "archival_memory_search"])
    script = letta_llm.script(
        call_tool("archival_memory_insert", {"content": _HERON}),
        call_tool("archival_memory_search", {"query": "heron on a pylon"}),
        say("Noted."),
    )

    turn = agent.send(script.prompt("Remember the heron."))

    returned = [m.get("tool_return") for m in turn["messages"] if m["message_type"] == "tool_return_message"]
    must(equal(2, len(returned), "number of tool results in the turn"))
    must(contains(str(returned[1]), _HERON, "result of the model's search"))
    must(contains(_found(agent, "heron pylon"), _HERON, "search over REST"))
    must(equal([_HERON], [passage["text"] for passage in _listed(agent)], "list over REST"))
