"""Relations: what is attached is found from both ends, and what is taken away or deleted from neither."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import equal, refused, same_sequence, status

from .relations import EMBEDDED, ENDS, RELATIONS, Patch, Relation

if TYPE_CHECKING:
    from pytest_letta import Deployment
    from pytest_letta.agent import AgentMaker
    from pytest_letta.handles import Handles
    from pytest_letta.ownership import Ledger

    from .asking import Ask, Takes

_BOTH = "who is asked for the one must find the other, whichever end the client begins at"


class Ends:
    """Two resources that can be attached to each other, and what stands for them in the table."""

    def __init__(
        self, ask: Ask, takes: Takes, make: AgentMaker, ledger: Ledger, embedding: Mapping[str, Any]
    ) -> None:
        self.ask = ask
        self._takes = takes
        self._make = make
        self._embedding = embedding
        self._given: dict[str, str] = {}
        self._ledger = ledger

    def fill(self, value: Any) -> Any:
        """Return a part of the table with ids in it, of what is made for it the first time."""
        text = json.dumps(value)
        for word in ("agent", "other", *ENDS):
            if f"{{{word}}}" in text and word not in self._given:
                self._given[word] = self._made(word)
        for word, id in {**self._given, "name": self._ledger.name()}.items():
            text = text.replace(f"{{{word}}}", id)
        return json.loads(text)

    def _made(self, end: str) -> str:
        if end not in ENDS:
            return self._make().id
        path, body = ENDS[end]
        answer = self.ask("POST", path, {**self.fill(body), **(self._embedding if end in EMBEDDED else {})})
        must(status(answer, 200, 201))
        return str(answer.json()["id"])

    def patch(self, way: Patch, *allowed: int) -> None:
        must(status(self.ask("PATCH", self.fill(way[0]), self.fill(way[1])), *(allowed or (200, 204))))

    def path_of(self, end: str) -> str:
        """Return the path at which an end is read and deleted."""
        return str(self.fill(f"{ENDS[end][0] if end in ENDS else '/v1/agents/'}{{{end}}}"))

    def shown(self, relation: Relation) -> dict[str, list[str]]:
        """Return the ids that each end shows of the other, by the paths that the server has."""
        paths = self.served(path for end in relation.ends for path in relation.shows[end])
        if not paths:
            not_applicable("this server does not tell what is attached")
        return {path: self._ids(path, relation.field) for path in paths}

    def served(self, paths: Iterable[str]) -> list[str]:
        """Return those of `paths` that the server has, with the query that they carry."""
        parts = {path: path.replace("=", "?").split("?") for path in paths}
        return [path for path, (asked, *names) in parts.items() if self._takes("GET", asked, *names[:1])]

    def _ids(self, path: str, field: str) -> list[str]:
        answer = self.ask("GET", self.fill(path))
        must(status(answer))
        document = answer.json()
        items = document[field] if isinstance(document, dict) else document
        return [str(one["id"]) if isinstance(one, dict) else str(one) for one in items]


@pytest.fixture
def relation(pair: str, letta_deployment: Deployment) -> Relation:
    """The relation that the case names, where the deployment has it."""
    for need in RELATIONS[pair].needs:
        if not letta_deployment.capabilities[need].available:
            not_applicable(letta_deployment.capabilities[need].reason)
    return RELATIONS[pair]


@pytest.fixture
def ends(ask: Ask, takes: Takes, make_letta_agent: AgentMaker, letta_handles: Handles, letta_ledger: Ledger) -> Ends:
    """Resources that can be attached to each other, each made when it is asked for."""
    return Ends(ask, takes, make_letta_agent, letta_ledger, letta_handles.embedding_fields())


@pytest.mark.parametrize("pair", RELATIONS)
@contract("REST-RELATION-001", because=_BOTH)
def test_what_is_attached_is_found_from_both_ends(ends: Ends, relation: Relation) -> None:
    """What is attached, even twice, is shown once by each of its ends beside what was there; detached, no longer."""
    one, other = relation.ends
    before = ends.shown(relation)

    ends.patch(relation.attach)
    # The second time nothing happens; 0.11 refuses it for some.
    ends.patch(relation.attach, 200, 204, 409)

    for path, ids in ends.shown(relation).items():
        added = ends.fill(f"{{{other if path in relation.shows[one] else one}}}")
        must(same_sequence(sorted([*before[path], added]), sorted(ids), f"{ends.fill(path)} after the attachment"))
    ends.patch(relation.detach)
    for path, ids in ends.shown(relation).items():
        must(same_sequence(sorted(before[path]), sorted(ids), f"{ends.fill(path)} after the detachment"))


@pytest.mark.parametrize(
    ("pair", "gone"),
    [
        pytest.param(pair, end, id=f"{pair}-without-{end}")
        for pair, relation in RELATIONS.items()
        for end, other in zip(relation.ends, reversed(relation.ends), strict=True)
        if relation.shows[other]
    ],
)
@contract("REST-RELATION-002", because="what is deleted and still named sends its clients to what does not exist")
def test_what_is_deleted_is_found_from_nowhere(ends: Ends, ask: Ask, relation: Relation, gone: str) -> None:
    """What is deleted is no longer named by what it was attached to, which stays."""
    ends.patch(relation.attach)
    id = ends.fill(f"{{{gone}}}")
    kept = next(end for end in relation.ends if end != gone)

    must(status(ask("DELETE", ends.path_of(gone)), 200, 202, 204))

    for path in (ends.path_of(kept), *ends.served(relation.shows[kept])):
        answer = ask("GET", ends.fill(path))
        must(status(answer))
        must(f"{ends.fill(path)} still names {id}, which is deleted" if id in answer.text else None)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/v1/agents/{agent}/identities/attach/identity-{unknown}", id="identity-to-agent"),
        pytest.param("/v1/agents/{agent}/archives/attach/archive-{unknown}", id="archive-to-agent"),
        pytest.param("/v1/agents/{agent}/sources/attach/source-{unknown}", id="source-to-agent"),
        pytest.param("/v1/blocks/{block}/identities/attach/identity-{unknown}", id="identity-to-block"),
        pytest.param("/v1/blocks/block-{unknown}/identities/attach/{identity}", id="identity-to-unknown-block"),
    ],
)
@contract("REST-RELATION-003", needs=["agents"], because="an attachment to nothing that succeeds is believed")
def test_unknown_cannot_be_attached(ends: Ends, ask: Ask, unknown: str, path: str) -> None:
    """Attaching what does not exist, or to what does not exist, is refused with 404 that names it."""
    must(refused(ask("PATCH", ends.fill(path.replace("{unknown}", unknown))), 404, naming=unknown))


@contract("REST-TAGS-001", needs=["agents"], because="people choose among tags that exist")
def test_tags_are_listed_as_long_as_an_agent_has_them(
    ask: Ask, takes: Takes, make_letta_agent: AgentMaker, letta_ledger: Ledger
) -> None:
    """A tag of an agent is found in the list of tags by its text, once, and not after the agent is gone."""
    tag = letta_ledger.name()
    agents = [make_letta_agent(tags=[tag]) for _ in range(2)]
    # `name` since 0.12, `query_text` before, and still.
    queries = [{word: tag} for word in ("name", "query_text") if takes("GET", "/v1/tags/", word)]
    for query in queries:
        must(equal([tag], _listed(ask, query), f"tags found by {query}"))

    for agent in agents:
        must(status(ask("DELETE", agent.path), 200, 204))

    for query in queries:
        must(equal([], _listed(ask, query), f"tags found by {query} after the last agent that had it is gone"))


def _listed(ask: Ask, query: dict[str, str]) -> list[str]:
    answer = ask("GET", "/v1/tags/", **query)
    must(status(answer))
    return list(answer.json())
