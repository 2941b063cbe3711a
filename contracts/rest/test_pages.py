"""Lists by pages: complete, without repeats, in order, and as long as was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import equal, refused, same_sequence, status

from .shelves import KINDS, Kind, Shelf

if TYPE_CHECKING:
    from .asking import Ask, Takes
    from .conftest import Fill

_ENDS = ("oldest-first", "newest-first")
#: Well formed, and before every other where ids are taken for places in the list.
_LOWEST = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("kind_of_list", KINDS, indirect=True)
@pytest.mark.parametrize("end", _ENDS)
@contract(
    "REST-PAGES-001",
    needs=["agents"],
    because="clients that walk a list lose items without a sign, or never end: letta-ai/letta#3088",
)
def test_pages_together_are_the_list(ask: Ask, takes: Takes, kind_of_list: Kind, fill: Fill, end: str) -> None:
    """Walking a list from either end, by pages of any size, gives every item once and in order, and ends."""
    shelf = fill(5)
    direction = _direction(takes, kind_of_list, shelf, end)
    whole = _page(ask, shelf, direction, limit=100)
    must(equal(True, len(whole) >= 5, f"the list has its 5 items or more: {len(whole)}"))
    if shelf.ids:
        made = list(shelf.ids if end == "oldest-first" or kind_of_list.shows_oldest_first else reversed(shelf.ids))
        must(same_sequence(made, whole, f"one page, {end}, against what was made"))

    for limit in range(1, len(whole) + 2):
        walked = _walk(ask, kind_of_list, shelf, direction, limit, at_most=len(whole) + 2)
        must(same_sequence(whole, walked, f"list walked {end} by {limit}, against one page"))


@pytest.mark.parametrize("kind_of_list", KINDS, indirect=True)
@contract("REST-PAGES-002", needs=["agents"], because="a limit that is not kept fills the memory of its client")
def test_page_is_as_long_as_its_limit(ask: Ask, kind_of_list: Kind, fill: Fill) -> None:
    """A page holds as many items as its limit says, or all where there are fewer."""
    shelf = fill(3)
    whole = _page(ask, shelf, limit=100)

    for limit in range(1, len(whole) + 2):
        page = _page(ask, shelf, limit=limit)
        must(equal(min(limit, len(whole)), len(page), f"number of items of {len(whole)} on a page of limit {limit}"))


@pytest.mark.parametrize("kind_of_list", KINDS, indirect=True)
@contract(
    "REST-PAGES-003",
    level="should",
    needs=["agents"],
    because="a client that computes its limit gets the whole list, of thousands, when it comes to 0",
)
def test_limit_of_zero_is_not_all(ask: Ask, kind_of_list: Kind, fill: Fill) -> None:
    """A page of limit 0 is refused with 422 that names the limit, or is empty."""
    shelf = fill(1)
    answer = ask("GET", shelf.path, **shelf.query, limit=0)

    if answer.status_code == 200:
        must(equal([], [item["id"] for item in answer.json()], "items on a page of limit 0"))
    else:
        must(refused(answer, 422, naming="limit"))


@pytest.mark.parametrize("kind_of_list", KINDS, indirect=True)
@contract(
    "REST-PAGES-004",
    needs=["agents"],
    because="a walk begins again, for ever, when the item at its cursor is deleted meanwhile",
)
def test_cursor_that_is_gone_is_not_the_beginning(ask: Ask, takes: Takes, kind_of_list: Kind, fill: Fill) -> None:
    """After a cursor that does not exist comes an error that names it, or an empty page; not the list anew."""
    shelf = fill(1)
    oldest_first = _direction(takes, kind_of_list, shelf, "oldest-first")
    whole = _page(ask, shelf, oldest_first, limit=100)
    gone = f"{whole[0].partition('-')[0]}-{_LOWEST}"

    answer = ask("GET", shelf.path, **shelf.query, **oldest_first, limit=2, after=gone)

    if answer.status_code == 200:
        must(equal([], [item["id"] for item in answer.json()], f"items after the unknown cursor {gone}"))
    else:
        must(refused(answer, 404, 400, 422, naming=gone))


def _direction(takes: Takes, kind: Kind, shelf: Shelf, end: str) -> Mapping[str, str]:
    """Return the query for one end of the list first; up to Letta 0.11 it had another name, or there was none."""
    place = _ENDS.index(end)
    for directions in (kind.directions, ({"ascending": "true"}, {"ascending": "false"})):
        if all(takes("GET", shelf.path, name) for name in directions[place]):
            return directions[place]
    return not_applicable("this server does not document that the list can be ordered")


def _page(ask: Ask, shelf: Shelf, *queries: Any, limit: int) -> list[str]:
    query = {key: value for part in queries for key, value in part.items()}
    answer = ask("GET", shelf.path, **shelf.query, **query, limit=limit)
    must(status(answer))
    # One message may be shown in several parts, such as reasoning and text.
    return list(dict.fromkeys(item["id"] for item in answer.json()))


def _walk(ask: Ask, kind: Kind, shelf: Shelf, direction: Any, limit: int, at_most: int) -> list[str]:
    is_backwards = kind.is_chronological and direction == kind.directions[1]
    walked: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(at_most):
        page = _page(ask, shelf, direction, cursor, limit=limit)
        if not page:
            break
        if is_backwards and kind.shows_oldest_first:
            walked, cursor = page + walked, {"before": page[0]}
        else:
            walked, cursor = walked + page, {"before" if is_backwards else "after": page[-1]}
    return walked
