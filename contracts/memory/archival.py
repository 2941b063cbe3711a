"""Passages for the contracts about archival memory: made, listed, searched, and how near they are to a query."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pytest_letta import must
from pytest_letta.conformance.checks import status
from pytest_letta.llm.embedding import DIMENSIONS, cosine, embed

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent
    from pytest_letta.ownership import Ledger

#: Vectors are kept as 32-bit floats; what is nearer by less than this is a tie.
_TIE = 1e-4


def insert(agent: Agent, text: str, **body: Any) -> dict[str, Any]:
    """Insert a passage; `body` may hold ``tags`` and ``created_at``."""
    answer = agent.client.post(f"{agent.path}/archival-memory", json={"text": text, **body})
    must(status(answer))
    return dict(answer.json()[0])


def insert_all(agent: Agent, bodies: Sequence[dict[str, Any]]) -> list[str]:
    """Insert passages, the first alone and the others at once, and return their ids in the order of `bodies`."""
    # The first insert makes the agent's archive.
    first = insert(agent, **bodies[0])
    with ThreadPoolExecutor(4) as pool:
        return [first["id"], *(each["id"] for each in pool.map(lambda body: insert(agent, **body), bodies[1:]))]


def listed(agent: Agent, **query: Any) -> list[dict[str, Any]]:
    """Return a page of the passages, of 100 unless `query` says otherwise."""
    answer = agent.client.get(f"{agent.path}/archival-memory", params={"limit": 100, **query})
    must(status(answer))
    return list(answer.json())


def texts(passages: Sequence[dict[str, Any]]) -> list[str]:
    return [str(passage.get("text")) for passage in passages]


def archive_of(agent: Agent) -> str:
    """Return the id of the archive that holds the agent's passages."""
    answer = agent.client.get("/v1/archives/", params={"agent_id": agent.id})
    must(status(answer))
    return str(answer.json()[0]["id"])


def new_archive(client: httpx.Client, ledger: Ledger, embedding: str | None) -> str:
    """Make an archive and return its id."""
    answer = client.post("/v1/archives/", json={"name": ledger.name(), "embedding": embedding})
    must(status(answer, 200, 201))
    ledger.enter(f"/v1/archives/{answer.json()['id']}")
    return str(answer.json()["id"])


def attach(agent: Agent, archive: str) -> None:
    must(status(agent.client.patch(f"{agent.path}/archives/attach/{archive}"), 200, 204))


def misplaced(query: str, found: Sequence[str], stored: Sequence[str], agent: Agent) -> str | None:
    """Check that `found` are the passages of `stored` that are nearest to `query`, the nearest first.

    How near they are is the cosine of the scripted model's embeddings; ties are in any order.
    """
    config = agent.state.get("embedding_config") or {}
    dimensions = int(config.get("embedding_dim") or DIMENSIONS)
    wanted = embed(query, dimensions)
    near = {text: cosine(wanted, embed(text, dimensions)) for text in stored}
    if foreign := [text for text in found if text not in near]:
        return f"results of the search for {query!r} hold what was not stored: {foreign[:3]}"
    left_out = [text for text in stored if text not in found]
    for one, next_one in pairwise(found):
        if near[one] < near[next_one] - _TIE:
            return _out_of_order(query, (one, near[one]), (next_one, near[next_one]), "comes before")
    for one in found[-1:]:
        for other in left_out:
            if near[one] < near[other] - _TIE:
                return _out_of_order(query, (one, near[one]), (other, near[other]), "is found in place of")
    return None


def _out_of_order(query: str, one: tuple[str, float], other: tuple[str, float], how: str) -> str:
    return (
        f"results of the search for {query!r} are not the nearest first: {one[0]!r} (cosine {one[1]:.3f}) {how} "
        f"{other[0]!r} ({other[1]:.3f})"
    )
