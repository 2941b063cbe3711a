"""Checks of compose files: what is unusual and right is no finding, and no finding tells a secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from composed import composed

from pytest_letta.compose.checks import data, database, exposure, health, proxy, server, wiring
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


@pytest.mark.parametrize(
    ("test", "is_right"),
    [
        ("[CMD, curl, -f, 'http://localhost:8283/v1/health/']", True),
        ("[CMD, curl, -fsSL, 'http://localhost:8283/v1/health']", True),
        ("[CMD-SHELL, 'curl --fail --location http://localhost:8283/v1/health || exit 1']", True),
        ("[CMD-SHELL, 'curl -s http://localhost:8283/v1/health/ | grep -q ok']", True),
        ("[CMD, wget, -qO-, 'http://localhost:8283/v1/health']", True),
        ("[CMD, python3, -c, \"import urllib.request as u; u.urlopen('http://localhost:8283/v1/health')\"]", True),
        ("[CMD, test, -f, /ready]", True),
        ("[CMD-SHELL, 'curl -f http://localhost:8283/v1/health || exit 1']", False),
        ("[CMD, curl, --silent, 'http://localhost:8283/v1/health/']", False),
        ("[CMD, curl, -f, 'http://localhost:8283/health']", False),
    ],
)
def test_a_health_check_that_reaches_the_server_is_no_finding(test, is_right) -> None:
    text = f"services:\n  letta:\n    image: letta/letta:1\n    healthcheck:\n      test: {test}\n"

    assert (found(health.asks_the_server, text) == []) == is_right


@pytest.mark.parametrize(
    ("times", "is_short"),
    [
        ("", False),  # 30 s, three times
        ("interval: 10s, retries: 3", False),
        ("interval: 5s, retries: 5", True),
        ("interval: 5s, start_period: 1m0s", False),
        ("interval: 500ms, retries: 40, start_period: 9.5s", True),
    ],
)
def test_the_patience_of_a_health_check_is_reckoned_as_the_engine_does(times, is_short) -> None:
    text = f"""
        services:
          letta: {{image: "letta/letta:1", healthcheck: {{test: [CMD, "true"], {times}}}}}
          app: {{image: "app:1", depends_on: {{letta: {{condition: service_healthy}}}}}}
    """

    assert bool(found(health.leaves_time, text)) == is_short
    assert found(health.leaves_time, text.replace("service_healthy", "service_started")) == []


def test_what_may_bring_its_own_health_check_is_not_judged() -> None:
    text = """
        services:
          letta: {build: {context: .}}
          db: {image: "supabase/postgres:15.1"}
          app: {image: "shop:1", depends_on: {mq: {condition: service_healthy}}}
          mq: {image: "mq:1"}
    """

    assert found(health.is_told, text, postgres="db") == []


@pytest.mark.parametrize(
    ("app", "count"),
    [
        ("{image: x, environment: {NEXT_PUBLIC_LETTA_BASE_URL: 'http://localhost:8283'}}", 0),
        ("{image: x, environment: {LETTA_BASE_URL: 'http://host.docker.internal:8283'}}", 0),
        ("{image: x, network_mode: 'service:letta', environment: {LETTA_BASE_URL: 'http://localhost:8283'}}", 0),
        ("{image: x, network_mode: host, environment: {LETTA_BASE_URL: 'http://localhost:8283'}}", 0),
        ("{image: x, environment: {LETTA_BASE_URL: 'http://localhost:8283'}}", 1),
        ("{image: x, environment: {LETTA_HOST: '127.0.0.1'}}", 1),
    ],
)
def test_localhost_is_a_finding_where_it_is_another_container(app, count) -> None:
    text = f"services: {{letta: {{image: 'letta/letta:1'}}, app: {app}}}"

    assert len(found(wiring.nobody_looks_inside, text)) == count


@pytest.mark.parametrize(
    ("variables", "command", "is_open"),
    [
        ("{LETTA_SERVER_PASSWORD: p, SECURE: 'true'}", "null", False),
        ("{LETTA_SERVER_PASSWORD: p, LETTA_SERVER_SECURE: 'true'}", "[letta, server]", False),
        ("{LETTA_SERVER_PASSWORD: p}", "[letta, server, --secure]", False),
        ("{LETTA_SERVER_PASSWORD: p, SECURE: 'true'}", "[/mine.sh]", False),
        ("{LETTA_SERVER_PASSWORD: p, SECURE: 'true'}", "[letta, server]", True),
        ("{LETTA_SERVER_PASSWORD: p, LETTA_SERVER_SECURE: 'True'}", "null", True),
        ("{}", "null", False),
    ],
)
def test_a_password_counts_as_asked_for_by_each_switch(variables, command, is_open) -> None:
    text = f"services: {{letta: {{image: 'letta/letta:1', command: {command}, environment: {variables}}}}}"

    assert bool(found(exposure.password_is_asked_for, text)) == is_open


@pytest.mark.parametrize(
    "image", ["letta/letta:0.16.8", "letta/letta@sha256:00", "reg:5000/letta:1", "letta/letta:v1"]
)
def test_a_version_or_a_digest_pins_an_image(image) -> None:
    assert found(server.images_are_pinned, f"services: {{letta: {{image: '{image}'}}}}") == []


@pytest.mark.parametrize("image", ["letta/letta", "letta/letta:latest", "reg:5000/letta"])
def test_an_image_that_moves_is_a_finding(image) -> None:
    assert len(found(server.images_are_pinned, f"services: {{letta: {{image: '{image}'}}}}")) == 1


@pytest.mark.parametrize(
    ("count", "job", "is_found"),
    [
        ("deploy: {replicas: 3}", "condition: service_started", True),
        ("scale: 2", "condition: service_started", True),
        ("deploy: {replicas: 3}", "condition: service_completed_successfully", False),
        ("deploy: {replicas: 1}", "condition: service_started", False),
        ("scale: 2, restart: always", "condition: service_started", False),
        ("deploy: {replicas: 2, restart_policy: {condition: on-failure}}", "condition: service_started", False),
        ("deploy: {replicas: 2, restart_policy: {condition: none}}", "condition: service_started", True),
    ],
)
def test_replicas_need_somebody_who_migrates_before(count, job, is_found) -> None:
    text = f"""
        services:
          letta: {{image: "letta/letta:1", {count}, depends_on: {{first: {{{job}}}}}}}
          first: {{image: "letta/letta:1", command: [alembic, upgrade, head]}}
    """

    assert bool(found(server.replicas_take_turns, text)) == is_found


def test_a_pool_of_an_old_release_is_read() -> None:
    text = "services: {{letta: {{image: 'letta/letta:{}', environment: {{LETTA_PG_POOL_SIZE: '50'}}}}}}"

    assert found(server.variables_are_read, text.format("0.11.7")) == []
    assert len(found(server.variables_are_read, text.format("0.12.0"))) == 1


CONF = """
http {{
    resolver 127.0.0.11;
    underscores_in_headers on;
    client_max_body_size 0;
    {http}
    server {{
        listen {listen};
        {server}
        location / {{
            {location}
        }}
    }}
}}
"""
PASS = "set $l letta:8283; proxy_pass http://$l; proxy_set_header Host $http_host; proxy_buffering off;"


def proxied(folder: Path, *, ports: str = "8284:8284", more: str = "", **parts: str) -> ComposeFile:
    conf = folder / "nginx.conf"
    conf.write_text(CONF.format(**{"http": "", "server": "", "location": PASS, "listen": "8284", **parts}))
    published, target = ports.split(":")
    text = f"""
        services:
          letta: {{image: "letta/letta:1"}}
          web:
            image: nginx:1
            ports: [{{target: {target}, published: "{published}"}}]
            volumes: [{{type: bind, source: {conf}, target: /etc/nginx/nginx.conf}}]
            {more}
    """
    return composed(text, letta="letta", nginx="web")


CHECKS = (
    proxy.streams_are_not_held_back,
    proxy.silence_is_borne,
    proxy.redirects_lead_back,
    proxy.letta_is_found_again,
    proxy.upstream_exists,
    proxy.users_are_told_apart,
    proxy.documents_pass,
)
NO_HOST = "set $l letta:8283; proxy_pass http://$l; proxy_buffering off;"


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"location": PASS.replace("$http_host", "$host"), "ports": "80:8284"},
        {"location": PASS.replace("$http_host", "$host:$server_port")},
        {"location": PASS.replace("$http_host", "$host") + "proxy_redirect ~^http://[^/]+(.*)$ http://$http_host$1;"},
        {"location": PASS + "proxy_redirect http:// https://;", "listen": "8284 ssl"},
        {"location": NO_HOST.replace("$l;", "$l; proxy_set_header Host $http_host;"), "server": "gzip on;"},
        {
            "location": "proxy_pass http://letta:8283; proxy_set_header Host $http_host; proxy_buffering off;",
            "more": "depends_on: {letta: {condition: service_healthy, restart: true}}",
        },
        {
            "http": "upstream group { zone z 64k; server letta:8283 resolve; }",
            "location": "proxy_pass http://group; proxy_buffering off;",
        },
        {
            "server": f"location ~ ^/v1/.*(messages|stream) {{ {PASS} }}",
            "location": PASS.replace("proxy_buffering off;", "proxy_read_timeout 5s;"),
        },
        {"server": f"location /old/ {{ {PASS.replace('letta:8283', 'old.example.com')} }}"},
        {"server": "proxy_read_timeout 21s;"},
    ],
)
def test_a_proxy_that_does_right_in_another_way_is_no_finding(tmp_path: Path, parts) -> None:
    file = proxied(tmp_path, **parts)

    assert [finding.text for check in CHECKS for finding in check(file)] == []


@pytest.mark.parametrize(
    ("parts", "check", "told"),
    [
        ({"location": NO_HOST}, proxy.redirects_lead_back, "inside of the network"),
        (
            {"location": NO_HOST.replace("$l;", "$l; proxy_redirect off;")},
            proxy.redirects_lead_back,
            "inside of the network",
        ),
        ({"server": "underscores_in_headers off;"}, proxy.users_are_told_apart, "drops the header user_id"),
        ({"server": "client_max_body_size 1m;"}, proxy.documents_pass, "more than 1024 KiB"),
        ({"location": PASS, "server": "proxy_read_timeout 20s;"}, proxy.silence_is_borne, "after 20 s"),
        (
            {"location": PASS.replace("$http_host", "$host:$server_port"), "ports": "9000:8284"},
            proxy.redirects_lead_back,
            "clients reach this server on 9000",
        ),
        (
            {
                "location": "root /x;",
                "server": f"location /letta/ {{ {PASS.replace('$l;', '$l/;').replace('off', 'on')} }}",
            },
            proxy.streams_are_not_held_back,
            "held back",
        ),
    ],
)
def test_a_proxy_that_does_wrong_is_found(tmp_path: Path, parts, check, told) -> None:
    texts = [finding.text for finding in check(proxied(tmp_path, **parts))]

    assert len(texts) == 1
    assert told in texts[0]
