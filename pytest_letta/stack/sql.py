"""What is asked of Postgres by its own tools, wherever they run.

A script finds in its environment what libpq reads: ``PGHOST``, ``PGPORT``, ``PGUSER`` (a superuser), ``PGPASSWORD``
and ``PGDATABASE``, the database of the server.
"""

from __future__ import annotations

from collections.abc import Callable

#: Seconds that one script may take.
LIMIT_S = 120.0

#: Runs a script and returns what it printed; raises ServiceError with that when it fails.
RunScript = Callable[[str], str]

#: The database that is made for a second server.
SECOND = "letta_second"

_DROP = f"dropdb --if-exists --force {SECOND}"
_NEW = f"set -e; {_DROP}; createdb --template=template0 {SECOND}"
_KEPT = 'dump=$(mktemp); trap \'rm -f "$dump"\' EXIT; pg_dump --format=custom --file="$dump"'
_RESTORED = f'pg_restore --exit-on-error --dbname={SECOND} "$dump"'


def connection(host: str, port: str, user: str, password: str, database: str) -> dict[str, str]:
    """Return the environment that leads libpq to a database."""
    return {"PGHOST": host, "PGPORT": port, "PGUSER": user, "PGPASSWORD": password, "PGDATABASE": database}


def drop_second(run_script: RunScript) -> None:
    """Remove the database of a second server, if there is one, whoever is connected to it."""
    run_script(_DROP)


def make_second_bare(run_script: RunScript) -> None:
    """Make the database of a second server with the extension ``vector`` and nothing else."""
    run_script(f"{_NEW}; psql -Xq --dbname={SECOND} --command='CREATE EXTENSION vector'")


def make_second_empty(run_script: RunScript) -> None:
    """Make the database of a second server with the tables of the first and no rows but the migrations' own."""
    versions = f"pg_dump --data-only --table=alembic_version | psql -Xq --dbname={SECOND}"
    run_script(f"{_NEW}; {_KEPT} --schema-only; {_RESTORED}; {versions}")


def restore_second(run_script: RunScript) -> None:
    """Make the database of a second server by ``pg_dump`` of the first and ``pg_restore``."""
    run_script(f"{_NEW}; {_KEPT}; {_RESTORED}")
