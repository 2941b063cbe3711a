"""Archival search: the nearest passages first, as the embeddings have it, of those that the filters leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import contains, equal, no_repeats, same_set, status

from .archival import archive_of, insert_all, misplaced

if TYPE_CHECKING:
    from pytest_letta import Deployment
    from pytest_letta.agent import Agent

#: Each route that searches passages, and the capability that it is.
_ROUTES = {"agent-route": "archival_search", "passages-route": "passages", "archive-route": "passages"}
_AGENTS = ["agent-route", "passages-route"]

Search = Callable[..., list[str]]

_QUERY = "red green blue yellow"
_STORED = [
    "lamp stone river salt",
    "red green blue yellow",
    "red river stone lamp",
    "red green blue salt",
    "green river stone lamp",
    "red green stone lamp river salt",
    "red red red lamp",
]


@pytest.fixture
def search(request: pytest.FixtureRequest, letta_deployment: Deployment, letta_agent: Agent) -> Search:
    """Search by the route that the case names: ``search(query, limit, **filters)`` gives texts."""
    route = str(request.param)
    capability = letta_deployment.capabilities[_ROUTES[route]]
    if not capability.available:
        not_applicable(capability.reason)
    return lambda query, limit, **filters: _search(letta_agent, route, query, limit, filters)


def _search(agent: Agent, route: str, query: str, limit: int, filters: dict[str, Any]) -> list[str]:
    if route == "agent-route":
        named = {{"start": "start_datetime", "end": "end_datetime"}.get(key, key): filters[key] for key in filters}
        asked = {"query": query, "top_k": limit, **named}
        answer = agent.client.get(f"{agent.path}/archival-memory/search", params=asked)
        must(status(answer))
        return [result["content"] for result in answer.json()["results"]]
    where = {"agent_id": agent.id} if route == "passages-route" else {"archive_id": archive_of(agent)}
    named = {{"start": "start_date", "end": "end_date"}.get(key, key): filters[key] for key in filters}
    answer = agent.client.post("/v1/passages/search", json={"query": query, "limit": limit, **where, **named})
    must(status(answer))
    return [result["passage"]["text"] for result in answer.json()]


@pytest.mark.parametrize("search", _ROUTES, indirect=True)
@contract(
    "MEM-ARCHIVAL-006",
    needs=["archival", "archives", "llm"],
    because="an agent reads the first results and no more: what is near and comes late is as good as lost",
)
def test_order_of_results_is_that_of_the_embeddings(letta_agent: Agent, search: Search) -> None:
    """A search gives as many passages as were asked for, each once, in the order of their embeddings' distances."""
    insert_all(letta_agent, [{"text": text} for text in _STORED])

    for limit in (1, 3, len(_STORED), len(_STORED) + 3):
        found = search(_QUERY, limit)

        must(equal(min(limit, len(_STORED)), len(found), f"number of results of a search for {limit}"))
        must(no_repeats(found, f"results of a search for {limit}"))
        must(misplaced(_QUERY, found, _STORED, letta_agent))


@pytest.mark.parametrize("search", _AGENTS, indirect=True)
@contract(
    "MEM-ARCHIVAL-007",
    needs=["archival", "archives"],
    because="tags part what belongs to one project, or one user, from the rest: docs.letta.com, archival memory",
)
def test_tags_leave_exactly_the_passages_that_carry_them(letta_agent: Agent, search: Search) -> None:
    """A search by tags finds exactly the passages that carry any of them, or all of them where that is asked for."""
    tags = {"lamp one": ["oak"], "lamp two": ["oak", "elm"], "lamp three": ["elm", "ash"], "lamp four": []}
    insert_all(letta_agent, [{"text": text, "tags": tags[text]} for text in tags])

    for asked, mode, expected in (
        (["oak"], "any", ["lamp one", "lamp two"]),
        (["oak", "ash"], "any", ["lamp one", "lamp two", "lamp three"]),
        (["oak", "elm"], "all", ["lamp two"]),
        (["oak", "ash"], "all", []),
        (["Oak"], "any", []),
    ):
        found = search("lamp", 50, tags=asked, tag_match_mode=mode)
        must(same_set(expected, found, f"passages found by {mode} of the tags {asked}"))
    must(same_set(["lamp three"], search("lamp", 50, tags=["ash"]), "passages found by the tag ash, no mode given"))


@pytest.mark.parametrize("search", _AGENTS, indirect=True)
@contract(
    "MEM-ARCHIVAL-008",
    needs=["archival", "archives", "llm"],
    because="the more an agent knows, the more of it is nearer to a query than the one passage of the tag",
)
def test_nearer_passages_of_other_tags_hide_none(letta_agent: Agent, search: Search) -> None:
    """A search by a tag finds the passages that carry it, however many nearer ones do not."""
    nearer = [{"text": f"red green blue {number}", "tags": ["other"]} for number in range(6)]
    insert_all(letta_agent, [{"text": "red salt river stone lamp", "tags": ["mine"]}, *nearer])

    found = search("red green blue", 3, tags=["mine"])

    must(contains(found, "red salt river stone lamp", "results by the tag, beside 6 nearer passages of another"))


@pytest.mark.parametrize("search", _AGENTS, indirect=True)
@contract(
    "MEM-ARCHIVAL-009",
    needs=["archival", "archives"],
    because="'what did we decide in February?' must not be answered with March: docs.letta.com, archival search",
)
def test_dates_leave_exactly_the_passages_between_them(letta_agent: Agent, search: Search) -> None:
    """A search from a date, to a date or between two finds exactly the passages of then; offsets are heeded."""
    months = ("01", "02", "03", "04")
    insert_all(letta_agent, [{"text": f"lamp {m}", "created_at": f"2024-{m}-01T12:00:00Z"} for m in months])

    for asked, expected in (
        ({"start": "2024-02-01T11:59:00Z"}, ("02", "03", "04")),
        ({"end": "2024-02-01T12:01:00Z"}, ("01", "02")),
        ({"start": "2024-01-15T00:00:00Z", "end": "2024-03-15T00:00:00Z"}, ("02", "03")),
        ({"start": "2024-02-01T13:30:00+02:00", "end": "2024-03-01T04:00:00-09:00"}, ("02", "03")),
        ({"start": "2024-02-01T12:30:00Z", "end": "2024-03-01T13:30:00+02:00"}, ()),
        ({"start": "2024-03-15T00:00:00Z", "end": "2024-01-15T00:00:00Z"}, ()),
    ):
        found = search("lamp", 50, **asked)
        must(same_set([f"lamp {m}" for m in expected], found, f"passages found by the dates {asked}"))
