"""Rows of a stack's database, by way of psql: every stack of ours has one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pytest_letta.errors import ServiceError
from pytest_letta.stack.stack import Execution

#: Quiet, without the user's own settings, bare values, and the first error ends it.
PSQL = ("-XAtq", "-v", "ON_ERROR_STOP=1", "-c")


def arguments(statement: str) -> Sequence[str]:
    """Return the arguments with which psql prints what `statement` finds as one JSON text."""
    return [*PSQL, f"SELECT coalesce(json_agg(found), '[]') FROM ({statement.rstrip().rstrip(';')}) AS found"]


def read(done: Execution) -> list[dict[str, Any]]:
    """Return the rows that psql printed; raise ServiceError with what it said when it failed."""
    if done.exit_code != 0:
        raise ServiceError(f"postgres refused a query: {' '.join(done.output.split())}")
    rows: list[dict[str, Any]] = json.loads(done.output)
    return rows
