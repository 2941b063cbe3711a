"""The cached data folder of Postgres with the schema of one Letta version and no data."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from pytest_letta.errors import StackError
from pytest_letta.stack import cache
from pytest_letta.stack.copying import copy_tree
from pytest_letta.stack.letta_env import LettaEnv
from pytest_letta.stack.postgres import DATABASE, Postgres
from pytest_letta.stack.process_service import plain_environment, spawn
from pytest_letta.stack.progress import Progress
from pytest_letta.stack.waiting import wait_healthy

_MIGRATION_LIMIT_S = 600.0
_QUERY_LIMIT_S = 60.0


def fill(postgres: Postgres, env: LettaEnv, cache_dir: Path, progress: Progress) -> None:
    """Give `postgres`, which does not run, a data folder with the migrated schema of `env`.

    The first call for a version migrates and keeps a copy, later ones copy that. Raises StackError.
    """

    def build(entry: Path, _: int) -> None:
        with progress.step("migrating the database"):
            _migrate(postgres, env)
        copy_tree(postgres.data, entry / "data")

    # The head of the migrations is given by the version of Letta, the format of the files by that of Postgres.
    name = f"letta-{env.version}-postgres-{_version(postgres)}"
    with cache.explained(cache_dir):
        entry = cache.ensure(cache_dir / "databases" / name, build, progress)
    if not postgres.data.exists():
        postgres.adopt(entry / "data")


def _version(postgres: Postgres) -> str:
    said = subprocess.run(
        [postgres.home / "bin" / "postgres", "--version"], capture_output=True, text=True, timeout=10, check=True
    ).stdout
    vector = next((postgres.home / "share/postgresql/extension").glob("vector--?.?.?.sql"), None)
    return f"{said.split()[-1]}-pgvector-{vector.stem.removeprefix('vector--') if vector else 'unknown'}"


def _migrate(postgres: Postgres, env: LettaEnv) -> None:
    if postgres.data.exists():
        shutil.rmtree(postgres.data)
    postgres.initialise()
    postgres.launch()
    wait_healthy(postgres)
    for sql, database in ((f"create database {DATABASE}", "postgres"), ("create extension vector", DATABASE)):
        if answer := postgres.ask(sql, database, _QUERY_LIMIT_S):
            raise StackError(f"{sql}: {answer}")
    _upgrade(postgres, env)
    if not postgres.stop():
        raise StackError("Postgres did not end in order after the migration, so its data cannot be kept.")


def _upgrade(postgres: Postgres, env: LettaEnv) -> None:
    run = postgres.run
    home = run.folder("alembic")
    # A copy: the paths in alembic.ini are relative to where it runs, and what runs does so below the run folder.
    folder = home / "migrations"
    copy_tree(env.migrations, folder, without="__pycache__")
    migration = spawn(
        run,
        "alembic",
        [str(env.alembic), "upgrade", "head"],
        environment=plain_environment(home) | {"LETTA_PG_URI": postgres.dsn},
        folder=folder,
    )
    try:
        code = migration.wait(_MIGRATION_LIMIT_S)
    except BaseException:
        migration.kill()
        migration.wait()
        raise
    if code != 0:
        tail = "\n".join(run.log("alembic").read_text(errors="replace").splitlines()[-40:])
        raise StackError(f"the migrations of letta {env.version} ended with {code}:\n{tail}")
