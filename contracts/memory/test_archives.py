"""Archives: one memory for several agents, for as long as they hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, lacks, refused, same_sequence, same_set, status

from .archival import archive_of, attach, insert, listed, new_archive, texts

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.ownership import Ledger

_HERON = "The grey heron nests on the pylon behind the mill."
_GRANITE = "Granite consists of feldspar, quartz and mica."
_NEEDS = ["archival", "archival_search", "archives"]


@pytest.fixture
def holders(letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger) -> tuple[Agent, Agent]:
    """Two agents that share an archive."""
    first, second = make_letta_agent(), make_letta_agent()
    archive = new_archive(letta_client, letta_ledger, first.state.get("embedding"))
    attach(first, archive)
    attach(second, archive)
    return first, second


def _found(agent: Agent, query: str, **filters: Any) -> list[str]:
    asked = {"query": query, "top_k": 5, **filters}
    answer = agent.client.get(f"{agent.path}/archival-memory/search", params=asked)
    must(status(answer))
    return [result["content"] for result in answer.json()["results"]]


@contract(
    "MEM-ARCHIVE-001", needs=_NEEDS, because="teams of agents share what they know: docs.letta.com, shared archives"
)
def test_shared_archive_is_one_memory(holders: tuple[Agent, Agent]) -> None:
    """What one holder of an archive inserts the other lists and finds; what one deletes is gone for both."""
    for writer, reader in (holders, holders[::-1]):
        text = f"{_HERON} Seen by {writer.id}."
        passage = insert(writer, text, tags=["birds"])
        must(contains(texts(listed(reader)), text, "list of the other holder"))
        must(contains(_found(reader, text, tags="birds"), text, "search by tag of the other holder"))
        must(status(reader.client.delete(f"{reader.path}/archival-memory/{passage['id']}"), 200, 204))
        must(lacks(texts(listed(writer)), text, "list of the writer after the other holder's deletion"))
        must(lacks(_found(writer, text), text, "search of the writer after the other holder's deletion"))


@contract(
    "MEM-ARCHIVE-002",
    needs=_NEEDS,
    because="an agent that leaves a team must not read or write in its memory",
)
def test_detached_archive_is_out_of_reach(holders: tuple[Agent, Agent]) -> None:
    """Detached from its archive an agent neither lists nor finds its passages, nor adds to it."""
    keeper, leaver = holders
    insert(keeper, _HERON)
    must(contains(texts(listed(leaver)), _HERON, "list before the archive was detached"))

    must(status(leaver.client.patch(f"{leaver.path}/archives/detach/{archive_of(keeper)}"), 200, 204))

    must(equal([], texts(listed(leaver)), "list of the agent that left"))
    must(equal([], _found(leaver, _HERON), "search of the agent that left"))
    insert(leaver, _GRANITE)
    must(equal([_HERON], texts(listed(keeper)), "list of the holder that stayed"))
    must(equal([_HERON], _found(keeper, _GRANITE), "search of the holder that stayed"))
    must(equal([_GRANITE], texts(listed(leaver)), "list of the agent that left, after an insert of its own"))


@contract("MEM-ARCHIVE-003", needs=_NEEDS, because="an agent is deleted; what its team knows must not go with it")
def test_archive_outlives_a_holder(holders: tuple[Agent, Agent]) -> None:
    """After one holder of an archive was deleted the other still lists and finds all that both inserted."""
    gone, keeper = holders
    insert(gone, _HERON)
    insert(keeper, _GRANITE)

    must(status(gone.client.delete(gone.path), 200, 204))

    must(same_set([_HERON, _GRANITE], texts(listed(keeper)), "list of the holder that is left"))
    must(equal(_HERON, next(iter(_found(keeper, _HERON)), None), "first result of the holder that is left"))


@contract(
    "MEM-ARCHIVE-004",
    needs=_NEEDS,
    because="agents without an embedding model are the default since 0.16, and share archives with others",
)
def test_holder_without_embeddings_hides_nothing(
    make_letta_agent: AgentMaker, letta_client: httpx.Client, letta_ledger: Ledger
) -> None:
    """What a holder without embedding model inserts into a shared archive the others find by its words."""
    reader, writer = make_letta_agent(), make_letta_agent(embedding=None)
    archive = new_archive(letta_client, letta_ledger, reader.state.get("embedding"))
    attach(reader, archive)
    refusal = writer.client.patch(f"{writer.path}/archives/attach/{archive}")
    if not refusal.is_success:
        must(refused(refusal, 400, 409, 422, naming="embedding"))
        return
    for number in range(5):
        insert(reader, f"Tram number {number} stops at midnight.")

    insert(writer, _HERON)
    must(contains(_found(reader, _HERON), _HERON, "first five results of the holder with an embedding model"))


@contract(
    "MEM-ARCHIVE-005",
    needs=[*_NEEDS, "archive_passages"],
    because="a mistaken path must not destroy what another archive holds",
)
def test_passage_of_another_archive_cannot_be_deleted(
    holders: tuple[Agent, Agent], make_letta_agent: AgentMaker
) -> None:
    """Deleting a passage by the path of an archive that does not hold it is refused, and the passage stays."""
    stranger = make_letta_agent()
    passage = insert(stranger, _HERON)

    answer = stranger.client.delete(f"/v1/archives/{archive_of(holders[0])}/passages/{passage['id']}")
    must(equal([_HERON], texts(listed(stranger)), "passages of the other archive after the deletion"))
    # 404 where the archive is asked for the passage, 400 where the passage is asked for its archive.
    must(refused(answer, 400, 404, naming=passage["id"]))


@pytest.mark.parametrize("kind", ["with-embeddings", "without-embeddings"])
@contract(
    "MEM-ARCHIVE-006",
    needs=[*_NEEDS, "archive_passages"],
    because="imports of documents go by batches; what is lost in one is not missed until it is asked for",
)
def test_batch_is_stored_whole(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger, kind: str
) -> None:
    """A batch of passages is stored whole: each once, with its tags and date, listed and found by the holder."""
    agent = make_letta_agent(**({} if kind == "with-embeddings" else {"embedding": None}))
    archive = new_archive(letta_client, letta_ledger, agent.state.get("embedding"))
    attach(agent, archive)
    bodies = [
        {"text": f"Fact {n} of river{n}.", "tags": [f"tag{n}", "all"], "created_at": f"2024-05-0{n}T08:00:00Z"}
        for n in range(1, 6)
    ]

    answer = letta_client.post(f"/v1/archives/{archive}/passages/batch", json={"passages": bodies})

    must(status(answer, 200, 201))
    stored = [f"{each['text']} {sorted(each['tags'] or [])} {each['created_at'][:10]}" for each in listed(agent)]
    expected = [f"{body['text']} {sorted(body['tags'])} {str(body['created_at'])[:10]}" for body in bodies]
    must(same_sequence(expected, stored, "passages of the batch, as the holder lists them"))
    must(equal(["Fact 3 of river3."], _found(agent, "river3", tags="tag3"), "search for one of the batch by its tag"))


@contract("MEM-ARCHIVE-007", needs=_NEEDS, because="what a user had deleted must not come back in any answer")
def test_deleted_archive_is_gone_for_every_holder(holders: tuple[Agent, Agent]) -> None:
    """A deleted archive is gone by id, and its passages from the list and the search of each holder."""
    archive = archive_of(holders[0])
    insert(holders[0], _HERON)
    must(contains(texts(listed(holders[1])), _HERON, "list before the deletion"))

    must(status(holders[0].client.delete(f"/v1/archives/{archive}"), 200, 204))

    must(refused(holders[0].client.get(f"/v1/archives/{archive}"), 404, naming=archive))
    for holder in holders:
        must(equal([], texts(listed(holder)), "passages of a holder after the deletion of the archive"))
        must(equal([], _found(holder, _HERON), "search of a holder after the deletion of the archive"))


@contract(
    "MEM-ARCHIVE-008", needs=_NEEDS, because="who wants to delete an archive asks first which agents would lose it"
)
def test_archive_lists_its_holders(
    letta_client: httpx.Client, make_letta_agent: AgentMaker, letta_ledger: Ledger
) -> None:
    """The agents that hold an archive are listed by it, each once, on one page and by pages of one, oldest first."""
    holders = [make_letta_agent(), make_letta_agent()]
    # A list that takes ids for ages is right when they are in the same order by chance.
    while holders[-1].id > holders[-2].id:
        holders.append(make_letta_agent())
    archive = new_archive(letta_client, letta_ledger, holders[0].state.get("embedding"))
    for holder in holders:
        attach(holder, archive)
    expected = [holder.id for holder in holders]
    must(same_sequence(expected, _holders(letta_client, archive, limit=50), "holders of the archive, on one page"))
    walked: list[str] = []
    for _ in range(len(expected) + 1):
        cursor = {"after": walked[-1]} if walked else {}
        walked += _holders(letta_client, archive, limit=1, **cursor)
    must(same_sequence(expected, walked, "holders of the archive, walked by 1"))


def _holders(client: httpx.Client, archive: str, **query: Any) -> list[str]:
    answer = client.get(f"/v1/archives/{archive}/agents", params={"order": "asc", **query})
    must(status(answer))
    return [agent["id"] for agent in answer.json()]
