"""What a running stack tells of itself in its folder, for those who come later."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from pytest_letta.stack.rundir import DESCRIPTION

_SCHEMA = "pytest-letta-stack/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One stack: what runs where, since when, and who holds it.

    `folder` is that of the run, with the logs in it. `started_at` is ISO 8601 in UTC. `holder` is a test ``run``,
    which nobody but itself should end, or a ``person``.
    """

    id: str
    folder: str
    provider: str
    version: str | None
    url: str
    proxy_url: str | None
    llm_url: str | None
    postgres_dsn: str | None = field(repr=False)
    redis_url: str | None
    started_at: str
    owner_pid: int
    holder: Literal["run", "person"]
    tls_url: str | None = None
    ca_file: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        return asdict(self)

    def as_text(self) -> str:
        """Return what `read` reads."""
        return json.dumps({"schema": _SCHEMA, **self.as_dict()}, indent=1) + "\n"


def read(folder: Path) -> Description | None:
    """Return the description in a run `folder`; ``None`` where there is none, or none that we understand."""
    try:
        found = json.loads((folder / DESCRIPTION).read_text())
        if found["schema"] != _SCHEMA:
            return None
        return Description(**{one.name: found[one.name] for one in fields(Description) if one.name in found})
    except (OSError, ValueError, KeyError, TypeError):
        return None
