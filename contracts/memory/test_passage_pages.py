"""The list of passages: by pages from either end, filtered by text, and with a thousand in it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, same_sequence, same_set, status

from .archival import attach, insert, insert_all, listed, new_archive, texts

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent
    from pytest_letta.ownership import Ledger

_MANY = 5


def _walk(agent: Agent, limit: int, *, is_ascending: bool, at_most: int) -> list[str]:
    """Follow the cursors to the end: the next page comes after the last passage, or before it in the list's terms."""
    walked: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(at_most):
        page = listed(agent, limit=limit, ascending=str(is_ascending).lower(), **cursor)
        if not page:
            break
        walked += texts(page)
        # The cursors mean earlier and later, whatever the order.
        cursor = {"after" if is_ascending else "before": page[-1]["id"]}
    return walked


@pytest.mark.parametrize("case", ["different-dates", "equal-dates-oldest-first", "equal-dates-newest-first"])
@contract(
    "MEM-ARCHIVAL-005",
    needs=["archival"],
    because="passages are exported by walking the list (docs.letta.com, archival export); a batch shares one date",
)
def test_pages_are_in_order_of_date_and_complete(letta_agent: Agent, case: str) -> None:
    """Walking the passages by pages gives each once, by their dates, and ends; also where dates are equal."""
    # Inserted in another order than that of their dates.
    days = [3, 1, 5, 2, 4] if case == "different-dates" else [1] * _MANY
    bodies = [
        {"text": f"Passage {number}, day {day}.", "created_at": f"2024-05-0{day}T08:00:00Z"}
        for number, day in enumerate(days)
    ]
    ids = insert_all(letta_agent, bodies)

    for order in ("oldest-first", "newest-first"):
        if order not in case and case != "different-dates":
            continue
        is_ascending = order == "oldest-first"
        whole = texts(listed(letta_agent, ascending=str(is_ascending).lower()))
        must(same_set([body["text"] for body in bodies], whole, f"one page, {order}"))
        if case == "different-dates":
            by_date = sorted(whole, key=lambda text: text[-2], reverse=not is_ascending)
            must(same_sequence(by_date, whole, f"one page, {order}"))
            between = listed(letta_agent, after=ids[1], before=ids[2], ascending=str(is_ascending).lower())
            must(same_sequence(by_date[1:-1], texts(between), f"passages after day 1 and before day 5, {order}"))
        for limit in (1, 2):
            walked = _walk(letta_agent, limit, is_ascending=is_ascending, at_most=_MANY + 2)
            must(same_sequence(whole, walked, f"passages walked {order} by {limit}, against one page"))


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param({"wool": ["Wool socks.", "100 % WOOL"], "silk": []}, id="words"),
        pytest.param({"%": ["100 % WOOL"], "e_c": ["one_cell"]}, id="wildcards"),
    ],
)
@contract(
    "MEM-ARCHIVAL-010",
    needs=["archival"],
    because="who looks for '100 %' or for a name with '_' must not be given everything",
)
def test_list_by_text_is_what_holds_that_text(letta_agent: Agent, expected: dict[str, list[str]]) -> None:
    """The list of passages by a text holds exactly those in which it occurs, in any case of letters."""
    insert_all(letta_agent, [{"text": text} for text in ("Wool socks.", "100 % WOOL", "one_cell", "one cell")])

    for asked, holding in expected.items():
        must(same_set(holding, texts(listed(letta_agent, search=asked)), f"passages listed by the text {asked!r}"))


@contract(
    "MEM-ARCHIVAL-011",
    needs=["archival"],
    because="an importer writes in parallel from the first passage on; the archive is made by the first that comes",
)
def test_parallel_first_inserts_are_all_kept(letta_agent: Agent) -> None:
    """The first passages of an agent, inserted all at once, are all in its list."""
    inserted = [f"Passage {number}." for number in range(6)]

    with ThreadPoolExecutor(len(inserted)) as pool:
        list(pool.map(lambda text: insert(letta_agent, text), inserted))

    must(same_set(inserted, texts(listed(letta_agent)), "passages that were inserted at once, as listed"))


@pytest.mark.parametrize("many", [1000])
@contract(
    "MEM-ARCHIVAL-012",
    needs=["archival", "archival_search", "archives", "archive_passages", "llm"],
    because="archival memory is for what does not fit elsewhere; with many passages pages and searches went wrong",
)
def test_many_passages_are_listed_walked_and_found(
    letta_client: httpx.Client, letta_agent: Agent, letta_ledger: Ledger, many: int
) -> None:
    """With a thousand passages each is in the list once, by pages and in order, and the right one is found."""
    archive = new_archive(letta_client, letta_ledger, letta_agent.state.get("embedding"))
    attach(letta_agent, archive)
    inserted = [f"Fact {number:04} about subject{number}." for number in range(many)]

    def insert_batch(start: int) -> None:
        batch = inserted[start : start + 250]
        bodies = [{"text": text, "created_at": _minute(start + n)} for n, text in enumerate(batch)]
        answer = letta_client.post(f"/v1/archives/{archive}/passages/batch", json={"passages": bodies})
        must(status(answer, 200, 201))
        must(equal(len(batch), len(answer.json()), "number of passages in the answer to the batch"))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(insert_batch, range(0, many, 250)))

    walked = _walk(letta_agent, 250, is_ascending=True, at_most=many // 250 + 2)
    must(same_sequence(inserted, walked, f"{many} passages walked by 250"))
    for number in (0, many // 2, many - 1):
        found: list[dict[str, Any]] = letta_agent.search_passages(f"subject{number}", top_k=3)
        must(equal([inserted[number]], [each["content"] for each in found][:1], f"first result for subject{number}"))
    last = texts(listed(letta_agent, limit=2, ascending="false"))
    must(same_sequence(inserted[-1:-3:-1], last, "newest page of 2"))


def _minute(number: int) -> str:
    return f"2024-06-01T{number // 60:02}:{number % 60:02}:00Z"
