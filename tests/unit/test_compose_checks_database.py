"""Checks of the database in a compose file: what is right is no finding, and no finding tells a secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from composed import composed

from pytest_letta.compose.checks import data, database
from pytest_letta.compose.file import ComposeFile
from pytest_letta.compose.place import Finding

Check = Callable[[ComposeFile], Iterator[Finding]]


def found(check: Check, text: str, **roles: str) -> list[str]:
    return [finding.text for finding in check(composed(text, **{"letta": "letta", **roles}))]


def postgres(image: str, volumes: str = "[]", environment: str = "{}") -> str:
    return f"""
        services:
          letta: {{image: "letta/letta:1", environment: {{LETTA_PG_URI: "postgresql://letta:right@db:5432/letta"}}}}
          db: {{image: "{image}", volumes: {volumes}, environment: {environment}}}
    """


def volume(target: str, kind: str = "volume", source: str = "data") -> str:
    return f"[{{type: {kind}, source: {source}, target: {target}}}]"


@pytest.mark.parametrize(
    "text",
    [
        postgres("postgres:16.4-alpine", volume("/var/lib/postgresql/data")),
        postgres("pgvector/pgvector:0.8.0-pg17", volume("/var/lib/postgresql/data", "bind", "/srv/pg")),
        postgres("pgvector/pgvector:pg18", volume("/var/lib/postgresql")),
        postgres("postgres:18", volume("/var/lib/postgresql/18/docker")),
        postgres("postgres:16", volume("/var/lib/postgresql/data"), "{PGDATA: /var/lib/postgresql/data/pgdata}"),
        postgres("postgres:16", volume("/pg"), "{PGDATA: /pg/data}"),
        postgres("postgres:latest", volume("/var/lib/postgresql")),
        postgres("ankane/pgvector:v0.5.1", volume("/var/lib/postgresql/data")),
        postgres("timescale/timescaledb-ha:pg16", volume("/home/postgres/pgdata/data")),
        postgres("bitnami/postgresql:16", volume("/bitnami/postgresql")),
    ],
)
def test_data_on_a_volume_are_kept(text) -> None:
    assert found(data.outlive_the_container, text, postgres="db") == []


def test_the_database_inside_of_letta_needs_a_volume_too() -> None:
    text = "services: {{letta: {{image: 'letta/letta:1', volumes: {}}}}}"

    assert found(data.outlive_the_container, text.format(volume("/var/lib/postgresql/data"))) == []
    assert found(data.outlive_the_container, text.format(volume("/root/.letta"))) != []


URI = """
    services:
      letta:
        image: letta/letta:1
        environment: {{LETTA_PG_URI: "{uri}"}}
        {more}
      db:
        image: postgres:16
        container_name: memory-db
        networks: {{default: {{aliases: [store]}}}}
        environment: {{POSTGRES_USER: letta, POSTGRES_DB: letta, POSTGRES_PASSWORD: right}}
      bouncer: {{image: "pgbouncer:1"}}
    networks:
      default: null
      shared: {{external: true}}
"""


@pytest.mark.parametrize(
    ("uri", "more"),
    [
        ("postgresql://letta:right@db/letta", ""),
        ("postgresql://letta:right@memory-db:5432/letta", ""),
        ("postgresql+pg8000://letta:right@store:5432/letta", ""),
        ("postgres://letta:right@bouncer:6432/letta", ""),
        ("postgresql://other:else@db.example.com:5432/letta", ""),
        ("postgresql://letta:right@192.0.2.7/letta", ""),
        ("postgresql://letta:right@elsewhere/letta", "networks: {default: null, shared: null}"),
        ("postgresql://letta:right@elsewhere/letta", "extra_hosts: ['elsewhere=192.0.2.7']"),
        ("postgresql://letta:r%69ght@db/letta", ""),
    ],
)
def test_a_database_that_is_reached_is_no_finding(uri, more) -> None:
    text = URI.format(uri=uri, more=more)

    assert found(database.is_found, text, postgres="db") == []
    assert found(database.lets_letta_in, text, postgres="db") == []


@pytest.mark.parametrize("uri", ["postgresql://letta:pa/ss@db/letta", "postgresql://letta:pa[ss@db/letta", "db:5432"])
def test_what_is_no_uri_is_told_without_its_text(uri) -> None:
    (text,) = found(database.is_found, URI.format(uri=uri, more=""), postgres="db")

    assert "is no URI" in text
    assert "pa" not in text.replace("password", "")


@pytest.mark.parametrize(
    ("script", "judged"),
    [("CREATE EXTENSION vector;", True), ("CREATE USER letta PASSWORD 'right';", False), (None, False)],
)
def test_credentials_that_scripts_may_make_are_not_judged(tmp_path: Path, script, judged) -> None:
    source = tmp_path / "init.sql"
    if script is not None:
        source.write_text(script)
    mount = volume("/docker-entrypoint-initdb.d/init.sql", "bind", str(source))

    texts = found(database.lets_letta_in, postgres("postgres:16", mount, "{POSTGRES_PASSWORD: right}"), postgres="db")

    assert bool(texts) == judged


@pytest.mark.parametrize(
    ("image", "script", "lacks"),
    [
        ("pgvector/pgvector:pg16", None, True),
        ("pgvector/pgvector:pg16", "create extension if not exists vector;", False),
        ("pgvector/pgvector:pg16", "create table x ();", True),
        ("supabase/postgres:15.1", None, False),
    ],
)
def test_the_extension_is_made_by_somebody(tmp_path: Path, image, script, lacks) -> None:
    (tmp_path / "init.sql").write_text(script or "")
    mount = volume("/docker-entrypoint-initdb.d/", "bind", str(tmp_path)) if script else "[]"

    assert bool(found(database.has_vectors, postgres(image, mount), postgres="db")) == lacks


def test_a_password_in_a_secret_is_not_judged() -> None:
    text = postgres("postgres:16", "[]", "{POSTGRES_PASSWORD_FILE: /run/secrets/p, POSTGRES_USER: letta}")

    assert found(database.lets_letta_in, text, postgres="db") == []
