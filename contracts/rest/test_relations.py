"""Relations: what is attached is found from both ends, and what is taken away from neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, refused, same_set, status

if TYPE_CHECKING:
    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.ownership import Ledger

    from .conftest import Ask

_BOTH = "who is asked for the one must find the other, whichever end the client begins at"


def _made(ask: Ask, path: str, body: dict[str, Any]) -> str:
    answer = ask("POST", path, body)
    must(status(answer, 200, 201))
    return str(answer.json()["id"])


def _ids(ask: Ask, path: str, **query: Any) -> list[str]:
    answer = ask("GET", path, **query)
    must(status(answer))
    return [one if isinstance(one, str) else str(one["id"]) for one in answer.json()]


@pytest.fixture
def identity(ask: Ask, letta_ledger: Ledger) -> str:
    """The id of an identity that nothing belongs to."""
    key = letta_ledger.name()
    return _made(ask, "/v1/identities/", {"identifier_key": key, "name": "Zo\u00eb", "identity_type": "user"})


@contract("REST-RELATION-001", needs=["agents"], because=_BOTH)
def test_identity_and_agent_find_each_other(ask: Ask, make_letta_agent: AgentMaker, identity: str) -> None:
    """An agent to which an identity is attached is listed by it, and by no other way after the detachment."""
    agent, _ = make_letta_agent(), make_letta_agent()

    must(status(ask("PATCH", f"{agent.path}/identities/attach/{identity}"), 200, 204))
    must(equal([agent.id], _ids(ask, f"/v1/identities/{identity}/agents"), "agents of the identity"))
    must(equal([agent.id], _ids(ask, "/v1/agents/", identity_id=identity), "agents listed by the identity"))

    must(status(ask("PATCH", f"{agent.path}/identities/detach/{identity}"), 200, 204))
    must(equal([], _ids(ask, f"/v1/identities/{identity}/agents"), "agents of the identity after the detachment"))
    must(equal([], _ids(ask, "/v1/agents/", identity_id=identity), "agents listed after the detachment"))


@contract("REST-RELATION-002", needs=["blocks"], because=_BOTH)
def test_identity_and_block_find_each_other(ask: Ask, letta_ledger: Ledger, identity: str) -> None:
    """A block to which an identity is attached is listed by it, and no longer after the detachment."""
    block = _made(ask, "/v1/blocks/", {"label": letta_ledger.name(), "value": "x"})

    must(status(ask("PATCH", f"/v1/blocks/{block}/identities/attach/{identity}")))
    must(equal([block], _ids(ask, f"/v1/identities/{identity}/blocks"), "blocks of the identity"))
    must(equal([block], _ids(ask, "/v1/blocks/", identity_id=identity), "blocks listed by the identity"))

    must(status(ask("PATCH", f"/v1/blocks/{block}/identities/detach/{identity}")))
    must(equal([], _ids(ask, f"/v1/identities/{identity}/blocks"), "blocks of the identity after the detachment"))


@contract("REST-RELATION-003", needs=["agents", "blocks"], because=_BOTH)
def test_block_and_agent_find_each_other(ask: Ask, make_letta_agent: AgentMaker, letta_ledger: Ledger) -> None:
    """A block that two agents hold is listed by both, and one that is deleted by neither."""
    block = _made(ask, "/v1/blocks/", {"label": letta_ledger.name(), "value": "x"})
    agents = [make_letta_agent(block_ids=[block]), make_letta_agent()]
    must(status(ask("PATCH", f"{agents[1].path}/core-memory/blocks/attach/{block}")))

    must(same_set([one.id for one in agents], _ids(ask, f"/v1/blocks/{block}/agents"), "agents of the block"))
    must(status(ask("DELETE", f"/v1/blocks/{block}"), 200, 204))

    for agent in agents:
        held = _ids(ask, f"{agent.path}/core-memory/blocks")
        must(None if block not in held else f"{agent.id} still holds the deleted block")


@contract("REST-RELATION-004", needs=["agents", "archives"], because=_BOTH)
def test_archive_and_agent_find_each_other(ask: Ask, letta_agent: Agent, letta_ledger: Ledger) -> None:
    """An archive that is attached to an agent is listed by it, and no longer after the detachment."""
    archive = _made(ask, "/v1/archives/", {"name": letta_ledger.name(), "embedding": letta_agent.state["embedding"]})

    must(status(ask("PATCH", f"{letta_agent.path}/archives/attach/{archive}"), 200, 204))
    must(equal([letta_agent.id], _ids(ask, f"/v1/archives/{archive}/agents"), "agents of the archive"))
    must(equal([archive], _ids(ask, "/v1/archives/", agent_id=letta_agent.id), "archives of the agent"))

    must(status(ask("PATCH", f"{letta_agent.path}/archives/detach/{archive}"), 200, 204))
    must(equal([], _ids(ask, f"/v1/archives/{archive}/agents"), "agents of the archive after the detachment"))
    must(equal([], _ids(ask, "/v1/archives/", agent_id=letta_agent.id), "archives after the detachment"))


@contract("REST-RELATION-005", needs=["agents"], because=_BOTH)
def test_group_and_agent_find_each_other(ask: Ask, make_letta_agent: AgentMaker) -> None:
    """The agents of a group list it; deleted, it is listed by none of them, and they stay."""
    agents = [make_letta_agent() for _ in range(2)]
    body = {"agent_ids": [one.id for one in agents], "description": "Two who talk."}
    group = _made(ask, "/v1/groups/", body)
    for agent in agents:
        must(equal([group], _ids(ask, f"{agent.path}/groups"), "groups of a member"))

    must(status(ask("DELETE", f"/v1/groups/{group}"), 200, 204))

    for agent in agents:
        must(equal([], _ids(ask, f"{agent.path}/groups"), "groups of a member after the deletion"))
        must(status(ask("GET", agent.path)))


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("{agent}/identities/attach/identity-{unknown}", id="identity"),
        pytest.param("{agent}/archives/attach/archive-{unknown}", id="archive"),
        pytest.param("{agent}/sources/attach/source-{unknown}", id="source"),
    ],
)
@contract("REST-RELATION-006", needs=["agents"], because="an attachment to nothing that succeeds is believed")
def test_unknown_cannot_be_attached(ask: Ask, letta_agent: Agent, unknown: str, path: str) -> None:
    """Attaching what does not exist is refused with 404 that names it."""
    must(refused(ask("PATCH", path.format(agent=letta_agent.path, unknown=unknown)), 404, naming=unknown))


@contract("REST-TAGS-001", needs=["agents"], because="people choose among tags that exist")
def test_tags_are_listed_as_long_as_an_agent_has_them(
    ask: Ask, make_letta_agent: AgentMaker, letta_ledger: Ledger
) -> None:
    """A tag of an agent is found in the list of tags by its text, once, and not after the agent is gone."""
    tag = letta_ledger.name()
    agents = [make_letta_agent(tags=[tag]) for _ in range(2)]
    must(equal([tag], _ids(ask, "/v1/tags/", name=tag), "tags found by the name"))

    for agent in agents:
        must(status(ask("DELETE", agent.path), 200, 204))

    must(equal([], _ids(ask, "/v1/tags/", name=tag), "tags found after the last agent that had it is gone"))
