"""The images that the other tests rely on behave as the public ones of their names do, whichever they are."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import docker.errors
import pytest

from pytest_letta.stack.containers.engine import Engine

if TYPE_CHECKING:
    from docker.models.containers import Container

POSTGRES, REDIS, NGINX = "pgvector/pgvector:pg16", "redis:7-alpine", "nginx:1.27-alpine"
_SETTINGS = {"POSTGRES_USER": "ann", "POSTGRES_PASSWORD": "s3cret", "POSTGRES_DB": "notes"}
_QUERY = ["sh", "-c", 'PGPASSWORD=s3cret psql -h 127.0.0.1 -U ann -d notes -XAtqc "$0"']

Start = Callable[..., "Container"]


@pytest.fixture
def start(engine: Engine) -> Iterator[Start]:
    """Start a container that goes when the test ends."""
    started: list[Container] = []

    def run(image: str, command: Any = None, **options: Any) -> Container:
        started.append(engine.client.containers.run(image, command, detach=True, **options))
        return started[-1]

    yield run
    for container in started:
        container.remove(force=True, v=True)


@pytest.fixture
def volume(engine: Engine) -> Iterator[str]:
    made = engine.client.volumes.create(f"pytest-letta-test-{secrets.token_hex(4)}")
    yield str(made.name)
    made.remove(force=True)


def eventually(container: Container, command: list[str], limit_s: float = 60) -> str:
    """Return what `command` says in the container once it succeeds."""
    deadline = time.monotonic() + limit_s
    while True:
        try:
            code, output = container.exec_run(command)
        except docker.errors.APIError as error:
            code, output = 1, str(error).encode()
        if code == 0 or time.monotonic() > deadline:
            assert code == 0, f"{output.decode()}\n{container.logs().decode()}"
            return str(output.decode()).strip()
        time.sleep(0.1)


def query(container: Container, sql: str) -> str:
    return eventually(container, [*_QUERY, sql])


def test_postgres_makes_user_and_database_and_has_vectors(start: Start) -> None:
    database = start(POSTGRES, environment=_SETTINGS)

    assert query(database, "create extension vector; select '[1,2]'::vector <-> '[1,3]'") == "1"
    assert query(database, "show server_version_num").startswith("16")


def test_postgres_asks_for_the_password_that_it_was_given(start: Start) -> None:
    database = start(POSTGRES, environment=_SETTINGS)
    query(database, "select 1")

    asked = "psql -h $(hostname -i) -w -U ann notes -c 'select 1'"  # by the loopback address it asks for none

    code, output = database.exec_run(["sh", "-c", asked])
    assert code != 0
    assert b"no password supplied" in output


def test_postgres_without_a_password_does_not_start(start: Start) -> None:
    database = start(POSTGRES)

    assert database.wait(timeout=60)["StatusCode"] == 1
    assert b"superuser password is not specified" in database.logs()


def test_postgres_runs_its_scripts_once_and_keeps_the_data_on_the_volume(volume: str, start: Start) -> None:
    script = "create table notes (text text); insert into notes values ('first')"
    options: dict[str, Any] = {
        "environment": _SETTINGS,
        "volumes": {volume: {"bind": "/var/lib/postgresql/data", "mode": "rw"}},
        "entrypoint": [
            "sh",
            "-c",
            f'echo "{script}" > /docker-entrypoint-initdb.d/1.sql; exec docker-entrypoint.sh "$0"',
        ],
    }
    first = start(POSTGRES, ["postgres"], **options)
    assert query(first, "select count(*) from notes") == "1"
    first.stop()

    assert query(start(POSTGRES, ["postgres"], **options), "select string_agg(text, ' ') from notes") == "first"


def test_redis_listens_beyond_the_loopback_address(start: Start) -> None:
    store = start(REDIS)

    assert eventually(store, ["sh", "-c", "redis-cli -h $(hostname -i) ping | grep PONG"]) == "PONG"


def test_nginx_fills_its_templates_in(start: Start, engine: Engine) -> None:
    script = 'echo "# \\${GREETING} \\$host \\${NGINX_LOCAL_RESOLVERS}" > /etc/nginx/templates/told.conf.template'
    proxy = start(
        NGINX,
        ["nginx", "-g", "daemon off;"],
        environment={"GREETING": "hello", "NGINX_ENTRYPOINT_LOCAL_RESOLVERS": "1"},
        entrypoint=["sh", "-c", f'mkdir -p /etc/nginx/templates; {script}; exec /docker-entrypoint.sh "$0" "$@"'],
    )
    server = eventually(proxy, ["awk", "/^nameserver/ {print $2; exit}", "/etc/resolv.conf"])

    assert eventually(proxy, ["cat", "/etc/nginx/conf.d/told.conf"]).startswith(f"# hello $host {server}")
    assert "nginx" in eventually(proxy, ["curl", "-fsS", "http://127.0.0.1/"])
    assert eventually(proxy, ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1/"]) == ""


@pytest.mark.slow
def test_letta_runs_its_own_database_when_it_is_given_none(start: Start) -> None:
    server = start("letta/letta:0.16.5")

    answer = eventually(server, ["curl", "-fsS", "http://127.0.0.1:8283/v1/health/"], limit_s=240)
    assert '"version":"0.16.5"' in answer
    agents = eventually(server, ["curl", "-fsS", "http://127.0.0.1:8283/v1/agents/"])
    assert agents == "[]"
