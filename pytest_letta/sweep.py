"""Removes what a run that was killed left on a deployment, at the start of a later one."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

from pytest_letta.ownership import MARK

if TYPE_CHECKING:
    import httpx

    from pytest_letta.deployment import Deployment
    from pytest_letta.ownership import Ledger
    from pytest_letta.session import LettaSession

#: No run takes that long: what is older belongs to none that is still going on.
_AGE = datetime.timedelta(hours=6)
_NAME = re.compile(rf"{MARK}-[0-9a-f]{{8}}-\d+(_copy)?")


def sweep_old_runs(deployment: Deployment, session: LettaSession) -> None:
    """Delete agents that carry our tag, our kind of name, and are older than six hours, with their blocks.

    Organizations of our kind of name and that age go too, with all that is in them. What cannot be removed is added
    to the leftovers of `session`. Nothing happens in a read-only run.
    """
    if session.settings.read_only or session.settings.keep:
        return
    ledger = session.ledger()
    with session.client(deployment.url) as client:
        if deployment.capabilities["users"].available:
            _enter_stale_organizations(client, ledger)
        _enter_stale_agents(client, ledger)
        ledger.clear(client)


def _enter_stale_agents(client: httpx.Client, ledger: Ledger) -> None:
    for agent in _listed(client, "/v1/agents/", tags=MARK):
        if MARK in agent.get("tags", ()) and is_stale(agent, datetime.datetime.now(datetime.UTC)):
            for block in agent.get("memory", {}).get("blocks", ()):
                ledger.enter(f"/v1/blocks/{block['id']}")
            ledger.enter(f"/v1/agents/{agent['id']}")


def _enter_stale_organizations(client: httpx.Client, ledger: Ledger) -> None:
    for organization in _listed(client, "/v1/admin/orgs/"):
        if is_stale(organization, datetime.datetime.now(datetime.UTC)):
            ledger.enter(f"/v1/admin/orgs/?org_id={organization['id']}")


def _listed(client: httpx.Client, path: str, **query: str) -> list[dict[str, Any]]:
    answer = client.get(path, params={**query, "limit": "200"})
    return answer.json() if answer.status_code == 200 else []


def is_stale(found: dict[str, Any], now: datetime.datetime) -> bool:
    """Tell whether what the server lists has a name of ours and is older than any run."""
    if not _NAME.fullmatch(found.get("name") or ""):
        return False
    created = datetime.datetime.fromisoformat(found["created_at"])
    if created.tzinfo is None:
        created = created.replace(tzinfo=datetime.UTC)
    return now - created > _AGE
