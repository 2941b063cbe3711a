"""Removes what a run that was killed left on a deployment, at the start of a later one."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

from pytest_letta.ownership import MARK

if TYPE_CHECKING:
    from pytest_letta.deployment import Deployment
    from pytest_letta.session import LettaSession

#: No run takes that long: what is older belongs to none that is still going on.
_AGE = datetime.timedelta(hours=6)
_NAME = re.compile(rf"{MARK}-[0-9a-f]{{8}}-\d+(_copy)?")


def sweep_old_runs(deployment: Deployment, session: LettaSession) -> None:
    """Delete agents that carry our tag, our kind of name, and are older than six hours, with their blocks.

    What cannot be removed is added to the leftovers of `session`. Nothing happens in a read-only run.
    """
    if session.settings.read_only or session.settings.keep:
        return
    ledger = session.ledger()
    with session.client(deployment.url) as client:
        answer = client.get("/v1/agents/", params={"tags": MARK, "limit": 200})
        for agent in answer.json() if answer.status_code == 200 else []:
            if is_stale(agent, datetime.datetime.now(datetime.UTC)):
                for block in agent.get("memory", {}).get("blocks", ()):
                    ledger.enter(f"/v1/blocks/{block['id']}")
                ledger.enter(f"/v1/agents/{agent['id']}")
        ledger.clear(client)


def is_stale(agent: dict[str, Any], now: datetime.datetime) -> bool:
    """Tell whether an agent, as the server lists it, is one of ours and older than any run."""
    if MARK not in agent.get("tags", ()) or not _NAME.fullmatch(agent.get("name", "")):
        return False
    created = datetime.datetime.fromisoformat(agent["created_at"])
    if created.tzinfo is None:
        created = created.replace(tzinfo=datetime.UTC)
    return now - created > _AGE
