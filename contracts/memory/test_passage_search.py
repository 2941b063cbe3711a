"""Archival search: the nearest passages first, as the embeddings have it, of those that the filters leave."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, no_repeats, same_set, status

from .archival import archive_of, insert_all, misplaced

if TYPE_CHECKING:
    from pytest_letta import Deployment
    from pytest_letta.agent import Agent

#: Each route that searches passages, and the capability that it is.
_ROUTES = {"agent-route": "archival_search", "passages-route": "passages", "archive-route": "passages"}

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
def searches(letta_deployment: Deployment, letta_agent: Agent) -> dict[str, Search]:
    """How to search the agent's passages, by route: ``search(query, limit, **filters)`` gives texts."""
    served = [route for route, need in _ROUTES.items() if letta_deployment.capabilities[need].available]
    return {route: partial(_search, letta_agent, route) for route in served}


def _of_agent(searches: dict[str, Search]) -> list[tuple[str, Search]]:
    """Leave out the route of an archive, which differs from that of its agent in nothing but where it looks."""
    return [(route, search) for route, search in searches.items() if route != "archive-route"]


def _search(agent: Agent, route: str, query: str, limit: int, **filters: Any) -> list[str]:
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


@contract(
    "MEM-ARCHIVAL-006",
    needs=["archival", "archival_search", "archives", "llm"],
    because="an agent reads the first results and no more: what is near and comes late is as good as lost",
)
def test_order_of_results_is_that_of_the_embeddings(letta_agent: Agent, searches: dict[str, Search]) -> None:
    """A search gives as many passages as were asked for, each once, in the order of their embeddings' distances."""
    insert_all(letta_agent, [{"text": text} for text in _STORED])

    for route, search in searches.items():
        for limit in (1, 3, len(_STORED) + 3):
            found = search(_QUERY, limit)

            must(
                equal(
                    min(limit, len(_STORED)), len(found), f"number of results by the {route} of a search for {limit}"
                )
            )
            must(no_repeats(found, f"results by the {route} of a search for {limit}"))
            must(misplaced(_QUERY, found, _STORED, letta_agent))


@contract(
    "MEM-ARCHIVAL-007",
    needs=["archival", "archival_search", "archives"],
    because="tags part what belongs to one project, or one user, from the rest: docs.letta.com, archival memory",
)
def test_tags_leave_exactly_the_passages_that_carry_them(letta_agent: Agent, searches: dict[str, Search]) -> None:
    """A search by tags finds exactly the passages that carry any of them, or all of them where that is asked for."""
    tags = {"lamp one": ["oak"], "lamp two": ["oak", "elm"], "lamp three": ["elm", "ash"], "lamp four": []}
    insert_all(letta_agent, [{"text": text, "tags": tags[text]} for text in tags])

    for route, search in _of_agent(searches):
        for asked, mode, expected in (
            (["oak", "ash"], {"tag_match_mode": "any"}, ["lamp one", "lamp two", "lamp three"]),
            (["oak", "elm"], {"tag_match_mode": "all"}, ["lamp two"]),
            (["oak", "ash"], {"tag_match_mode": "all"}, []),
            (["Oak"], {}, []),
            (["ash"], {}, ["lamp three"]),
        ):
            found = search("lamp", 50, tags=asked, **mode)
            must(same_set(expected, found, f"passages found by the tags {asked} {mode or ''} by the {route}"))


@contract(
    "MEM-ARCHIVAL-008",
    needs=["archival", "archival_search", "archives", "llm"],
    because="the more an agent knows, the more of it is nearer to a query than the one passage of the tag",
)
def test_nearer_passages_of_other_tags_hide_none(letta_agent: Agent, searches: dict[str, Search]) -> None:
    """A search by a tag finds the passages that carry it, however many nearer ones do not."""
    nearer = [{"text": f"red green blue {number}", "tags": ["other"]} for number in range(4)]
    insert_all(letta_agent, [{"text": "red salt river stone lamp", "tags": ["mine"]}, *nearer])

    for route, search in _of_agent(searches):
        found = search("red green blue", 3, tags=["mine"])
        must(contains(found, "red salt river stone lamp", f"results by the tag by the {route}, beside 4 nearer ones"))


@contract(
    "MEM-ARCHIVAL-009",
    needs=["archival", "archival_search", "archives"],
    because="'what did we decide in February?' must not be answered with March: docs.letta.com, archival search",
)
def test_dates_leave_exactly_the_passages_between_them(letta_agent: Agent, searches: dict[str, Search]) -> None:
    """A search from a date, to a date or between two finds exactly the passages of then; offsets are heeded."""
    months = ("01", "02", "03", "04")
    insert_all(letta_agent, [{"text": f"lamp {m}", "created_at": f"2024-{m}-01T12:00:00Z"} for m in months])

    for route, search in _of_agent(searches):
        for asked, expected in (
            ({"start": "2024-02-01T11:59:00Z"}, ("02", "03", "04")),
            ({"end": "2024-02-01T12:01:00Z"}, ("01", "02")),
            ({"start": "2024-02-01T13:30:00+02:00", "end": "2024-03-01T04:00:00-09:00"}, ("02", "03")),
            ({"start": "2024-02-01T12:30:00Z", "end": "2024-03-01T13:30:00+02:00"}, ()),
            ({"start": "2024-03-15T00:00:00Z", "end": "2024-01-15T00:00:00Z"}, ()),
        ):
            found = search("lamp", 50, **asked)
            must(
                same_set(
                    [f"lamp {m}" for m in expected], found, f"passages found by the dates {asked} by the {route}"
                )
            )
