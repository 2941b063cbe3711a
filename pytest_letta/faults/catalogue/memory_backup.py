"""Faults of what memory is kept on, and of backups and replicas: part of the memory suite's catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from pytest_letta.faults.catalogue.memory_rows import EMPTIED
from pytest_letta.faults.fault import CataloguedFault
from pytest_letta.faults.stack import StackFault, execute_sql, run_sql, sql_beside
from pytest_letta.faults.writes import serve_stale
from pytest_letta.stack.stack import Stack

_OTHER, _KEPT = "letta_other", "letta_kept"
_ELSEWHERE = "different database identity, not lost rows"


def _closed(name: str) -> tuple[str, str]:
    """Return what ends all sessions of a database and lets no new ones in."""
    return (
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )


def _database_and_server(stack: Stack) -> tuple[str, str]:
    """Return the name of the stack's database, and the DSN by which it is renamed: that of another one there."""
    parts = urlsplit(str(stack.postgres_dsn))
    return parts.path.lstrip("/"), parts._replace(path="/postgres").geturl()


def _swap(stack: Stack) -> None:
    """Put another database, which has nothing of ours, in the place of the stack's, as another volume does."""
    name, server = _database_and_server(stack)
    if _is_swapped(stack):
        return  # at an earlier restart
    execute_sql(server, *_closed(name), f"CREATE DATABASE {_OTHER} TEMPLATE {name}")
    execute_sql(urlsplit(server)._replace(path=f"/{_OTHER}").geturl(), EMPTIED)
    execute_sql(server, f"ALTER DATABASE {name} RENAME TO {_KEPT}", f"ALTER DATABASE {_OTHER} RENAME TO {name}")


def _is_swapped(stack: Stack) -> bool:
    return bool(stack.query(f"SELECT 1 FROM pg_database WHERE datname = '{_KEPT}'"))


@contextmanager
def _swapped_back(stack: Stack) -> Iterator[None]:
    with _emptied_at_the_end(stack):
        try:
            yield
        finally:
            if _is_swapped(stack):
                name, server = _database_and_server(stack)
                execute_sql(server, f"DROP DATABASE {name} WITH (FORCE)", f"ALTER DATABASE {_KEPT} RENAME TO {name}")
                execute_sql(server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


@contextmanager
def _emptied_at_the_end(stack: Stack) -> Iterator[None]:
    """Remove what the run made in the stack's database: at its end it no longer saw it."""
    try:
        yield
    finally:
        execute_sql(str(stack.postgres_dsn), EMPTIED)


_REPLICAS = tuple(f"MEM-REPLICA-{number:03}" for number in (1, 2, 3))

_OF_THE_DATABASE = (
    StackFault(
        name="restarted-server-looks-at-an-empty-database",
        kills=("MEM-VOLUME-002",),
        reason=rf"^{_ELSEWHERE}: the rows are still in .* \(\d+\) of system \d+, and the server looks at another",
        during=_emptied_at_the_end,
        lands_on="empty",
    ),
    StackFault(
        name="volume-of-the-database-is-swapped",
        kills=("MEM-VOLUME-002",),
        reason=rf"^{_ELSEWHERE}: it was .* \(\d+\) of system \d+, it is",
        during=_swapped_back,
        after={"restart": _swap},
    ),
    StackFault(
        name="restart-loses-all-rows-of-the-agents",
        kills=("MEM-VOLUME-002",),
        reason="^rows were lost from database .*, the database of before: .*agent 1 .*message of agent 2",
        after={"restart": run_sql(EMPTIED)},
    ),
    StackFault(
        name="new-server-is-on-another-database",
        kills=("MEM-VOLUME-001", *_REPLICAS),
        reason="answered 404",
        instead={"same": "empty"},
    ),
    StackFault(
        name="memory-is-kept-beside-the-database",
        kills=("MEM-VOLUME-003",),
        reason=r"GET /v1/agents/\S+ answered 200",
        instead={"empty": "same"},
    ),
    CataloguedFault(
        name="replica-answers-from-a-stale-cache",
        kills=_REPLICAS,
        reason="at the other server",
        make=serve_stale,
        via="second",
    ),
)

_OF_BACKUPS = (
    StackFault(
        name="backup-leaves-out-passages",
        kills=("MEM-BACKUP-001", "MEM-BACKUP-002"),
        reason="^passages of the (restored dump|cold copy): 2 missing",
        beside=sql_beside("DELETE FROM archival_passages", "dump", "copy"),
    ),
    StackFault(
        name="dump-leaves-out-vectors",
        kills=("MEM-BACKUP-001",),
        reason="^first result of the search for .* of the restored dump",
        beside=sql_beside("UPDATE archival_passages SET embedding = NULL", "dump"),
    ),
    StackFault(
        name="dump-leaves-out-sequences",
        kills=("MEM-BACKUP-001",),
        reason="POST .*/messages answered 500|earlier history of the restored dump",
        beside=sql_beside("SELECT setval('message_seq_id', 1, false)", "dump"),
    ),
    StackFault(
        name="copy-is-of-an-older-state",
        kills=("MEM-BACKUP-002",),
        reason="^(agent|blocks|history) of the cold copy: ",
        beside=sql_beside("UPDATE block SET value = 'Name unknown.' WHERE label = 'human'", "copy"),
    ),
    StackFault(
        name="restored-server-is-on-the-original",
        kills=("MEM-BACKUP-001", "MEM-BACKUP-002"),
        reason="of the original after a turn",
        instead={"dump": "same", "copy": "same"},
    ),
)

BACKUP: tuple[CataloguedFault | StackFault, ...] = (*_OF_THE_DATABASE, *_OF_BACKUPS)
