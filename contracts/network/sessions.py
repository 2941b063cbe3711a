"""The sessions of the server at its database: how many there are, and whether any of them is stuck."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_letta.stack.stack import Stack

_STATEMENT = """
    SELECT pid, state, extract(epoch FROM now() - state_change)::int AS seconds, left(query, 120) AS query
    FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_REST_LIMIT_S = 15.0
#: Who is idle in a transaction for so long waits for nothing that a server does.
_STUCK_S = 6
_POLL_S = 0.1
#: Between two statements of one request a session is idle, too: at rest is who is so for a while.
_POLLS_AT_REST = 4


class Sessions:
    """Sessions of the stack's database. Those that were in a transaction from the first are somebody else's."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._foreign: frozenset[int] = frozenset()
        self.level, stuck = self._settled()
        self._foreign = frozenset(one["pid"] for one in stuck)

    def problem(self, kept: int) -> str | None:
        """Wait until none is in a transaction; say which stay in one, or that there are too many.

        A pool may keep what its busiest moment needed: `kept` more than at the last time.
        """
        before = self.level
        self.level, stuck = self._settled()
        if stuck:
            told = [f"{one['state']} for {one['seconds']} s after {one['query']!r}" for one in stuck]
            return f"{len(told)} sessions are stuck: {'; '.join(told[:3])}"
        if self.level <= before + kept:
            return None
        return f"the database has {self.level} sessions, {before} before: a pool would have kept {kept} more at most"

    def _settled(self) -> tuple[int, list[dict[str, Any]]]:
        deadline = time.monotonic() + _REST_LIMIT_S
        polls = 0
        while True:
            all_of_them = self._stack.query(_STATEMENT)
            busy = [one for one in all_of_them if one["state"] != "idle" and one["pid"] not in self._foreign]
            polls = 0 if busy else polls + 1
            stuck = [one for one in busy if "idle in" in str(one["state"]) and one["seconds"] >= _STUCK_S]
            if polls == _POLLS_AT_REST or stuck or time.monotonic() > deadline:
                return len(all_of_them), stuck or busy
            time.sleep(_POLL_S)
