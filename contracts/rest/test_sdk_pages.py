"""The official client's own iterators, which ask for page after page by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from pytest_letta import must, not_applicable
from pytest_letta.conformance.checks import no_repeats, same_set, status

from .clients import for_clients
from .shelves import KINDS, Filling, Shelf

if TYPE_CHECKING:
    from pytest_letta import Deployment
    from pytest_letta.agent import AgentMaker
    from pytest_letta.ownership import Ledger
    from pytest_letta.sdk.client import Sdk

    from .asking import Ask, Takes


@dataclass(frozen=True)
class _Walk:
    """The method by which the client walks a list, of so many items of our own or a few more, by pages of `limit`."""

    method: str
    many: int = 5
    limit: int = 2


_WALKS = {
    "agents": _Walk("agents.list"),
    "blocks": _Walk("blocks.list"),
    "agent-blocks": _Walk("agents.blocks.list"),
    # One by one: a list in order of age whose cursors compare ids is not right by chance.
    "agent-tools": _Walk("agents.tools.list", limit=1),
    "archives": _Walk("archives.list"),
    "messages": _Walk("agents.messages.list"),
    "runs": _Walk("runs.list", many=3, limit=1),
}


@pytest.mark.parametrize("walk", _WALKS)
@for_clients(
    "REST-SDK-009",
    needs=["agents"],
    because="a loop over client.agents.messages.list(...) ends early without a sign: letta-ai/letta#3088",
)
def test_client_iterates_over_the_whole_list(
    sdk: Sdk,
    letta_deployment: Deployment,
    ask: Ask,
    takes: Takes,
    make_letta_agent: AgentMaker,
    letta_ledger: Ledger,
    walk: str,
) -> None:
    """Going through a list by the client, by small pages, gives every item once, and ends."""
    chosen, kind = _WALKS[walk], KINDS[walk]
    if not (capability := letta_deployment.capabilities[kind.needs]).available:
        not_applicable(capability.reason)
    shelf = kind.fill(Filling(ask, takes, make_letta_agent, letta_ledger, chosen.many))
    owner, query = _asked(shelf)
    answer = ask("GET", shelf.path, **query, limit=100)
    must(status(answer))
    whole = [item["id"] for item in answer.json()]

    items = sdk.items(chosen.method, **owner, **query, limit=chosen.limit, at_most=2 * len(whole))

    walked = [item["id"] for item in items]
    what = f"{chosen.method} of letta-client {sdk.version}, by {chosen.limit}"
    must(same_set(whole, walked, f"{what}, against one page of {len(whole)}"))
    # One message may be shown in several parts, such as reasoning and text.
    if len(set(whole)) == len(whole):
        must(no_repeats(walked, what))


def _asked(shelf: Shelf) -> tuple[dict[str, str], dict[str, str]]:
    """Return whose list it is, and the query that selects the items of our own."""
    segments = shelf.path.split("/")
    owner = {"agent_id": segments[3]} if segments[2] == "agents" and segments[3] else {}
    return owner, dict(shelf.query)
