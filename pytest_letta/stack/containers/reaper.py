"""Removes what runs left in the engine: containers, then networks, volumes and images that were built for them."""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker.errors

from pytest_letta.errors import StackError
from pytest_letta.stack.containers.labels import RUN, Ownership, ownership

if TYPE_CHECKING:
    from pytest_letta.stack.containers.engine import Engine

# What another machine left on a shared engine cannot be asked whether its owner lives; no run takes that long.
_FOREIGN_AGE = datetime.timedelta(hours=24)
_END_LIMIT_S = 60.0
_PAUSE_S = 0.2


def reap(engine: Engine) -> list[str]:
    """Remove everything of runs whose owner is gone, unless it is kept on purpose; return these runs."""
    orphaned = sorted({owner.run for owner, created in _found(engine) if _is_to_go(owner, created)})
    for run in orphaned:
        end(engine, run)
    return orphaned


def end(engine: Engine, run: str) -> None:
    """Remove everything that is labelled as of `run`; raise StackError when something does not go."""
    deadline = time.monotonic() + _END_LIMIT_S
    while left := list(_things(engine, run)):
        refusals = [said for thing in left if (said := _removed(thing)) is not None]
        if refusals:
            if time.monotonic() > deadline:
                raise StackError(f"the engine does not remove what run {run} made: {'; '.join(refusals)}")
            time.sleep(_PAUSE_S)


def folders(engine: Engine) -> dict[str, Path]:
    """Return run -> folder of everything on the engine that this user of this machine made, whoever owns it now."""
    return {owner.run: owner.folder for owner, _ in _found(engine) if owner.is_ours}


def _is_to_go(owner: Ownership, created: datetime.datetime | None) -> bool:
    if owner.is_kept:
        return False
    if owner.is_ours:
        return owner.is_orphaned
    return created is not None and datetime.datetime.now(datetime.UTC) - created > _FOREIGN_AGE


def _found(engine: Engine) -> Iterator[tuple[Ownership, datetime.datetime | None]]:
    for thing in _things(engine):
        attributes = thing.attrs
        labels = (attributes.get("Config") or {}).get("Labels") or attributes.get("Labels") or {}
        owner = ownership(labels)
        if owner is not None:
            yield owner, _moment(attributes.get("Created") or attributes.get("CreatedAt"))


def _things(engine: Engine, run: str | None = None) -> Iterator[Any]:
    """Give what can be removed at once: networks and volumes only when no container is left."""
    chosen: dict[str, Any] = {"label": RUN if run is None else f"{RUN}={run}"}
    client = engine.client
    containers = client.containers.list(all=True, ignore_removed=True, filters=chosen)
    yield from containers
    if run is None or not containers:
        yield from client.networks.list(filters=chosen)
        yield from client.volumes.list(filters=chosen)
        yield from client.images.list(filters=chosen)


def _removed(thing: Any) -> str | None:
    """Remove `thing`; return the engine's refusal, which may be that it is at it already."""
    kind = type(thing).__name__
    options: dict[str, Any] = {"Container": {"force": True, "v": True}, "Image": {"force": True}}.get(kind, {})
    try:
        thing.remove(**options)
    except docker.errors.NotFound:
        pass
    except docker.errors.APIError as error:
        return f"{kind.lower()} {getattr(thing, 'name', thing.id)}: {error.explanation}"
    return None


def _moment(text: str | None) -> datetime.datetime | None:
    """Read the engine's times, which have nine digits after the point."""
    if not text:
        return None
    moment = datetime.datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
