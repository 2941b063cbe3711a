"""The Docker provider on a real engine: what it starts, what can be done to it, and what it leaves."""

from __future__ import annotations

import json

import httpx
import pytest
from live_agents import block_value, call, make_agent

from pytest_letta.errors import ImageError, ServiceError, SettingsError, StackError
from pytest_letta.stack.containers.engine import Engine
from pytest_letta.stack.containers.labels import RUN
from pytest_letta.stack.docker import DockerStack
from pytest_letta.stack.stack import ACTIONS, SERVICES


def made_by(engine: Engine, run: str) -> dict[str, int]:
    """Count what is labelled as of `run`, by kind."""
    chosen = {"label": f"{RUN}={run}"}
    client = engine.client
    return {
        "containers": len(client.containers.list(all=True, filters=chosen)),
        "networks": len(client.networks.list(filters=chosen)),
        "volumes": len(client.volumes.list(filters=chosen)),
    }


def test_every_service_answers_where_the_stack_says(docker_stack: DockerStack) -> None:
    assert docker_stack.services == SERVICES
    assert call(docker_stack.url, "GET", "/v1/health/")["status"] == "ok"
    assert call(str(docker_stack.proxy_url), "GET", "/v1/agents/?limit=1") is not None
    assert httpx.get(f"{docker_stack.llm_url}/health").status_code == 200


def test_it_can_do_everything(docker_stack: DockerStack) -> None:
    assert {action for action in (*ACTIONS, "fly") if docker_stack.can(action)} == ACTIONS


def test_everything_is_labelled_as_of_its_run(docker_stack: DockerStack, engine: Engine) -> None:
    assert made_by(engine, docker_stack.run_id) == {"containers": 5, "networks": 1, "volumes": 2}


def test_ports_are_published_on_the_loopback_address_only_and_redis_not_at_all(
    docker_stack: DockerStack, engine: Engine
) -> None:
    chosen = {"label": f"{RUN}={docker_stack.run_id}"}
    published = {
        container.name.rsplit("-", 1)[-1]: [
            one["HostIp"] for bindings in container.ports.values() for one in bindings or ()
        ]
        for container in engine.client.containers.list(filters=chosen)
    }

    assert published == {
        "postgres": ["127.0.0.1"],
        "redis": [],
        "llm": ["127.0.0.1"],
        "server": ["127.0.0.1"],
        "nginx": ["127.0.0.1", "127.0.0.1"],
    }


@pytest.mark.parametrize("service", SERVICES)
def test_services_find_each_other_by_the_names_of_the_documented_network(
    docker_stack: DockerStack, service: str
) -> None:
    found = docker_stack.execute("letta", ["getent", "hosts", docker_stack.hostname(service)])

    assert found.exit_code == 0, found.output
    names = {"postgres": "letta-postgres", "redis": "letta-redis", "llm": "letta-llm"}
    names |= {"letta": "letta-server", "nginx": "letta-nginx"}
    assert docker_stack.hostname(service) == names[service]


def test_a_partitioned_database_is_away_and_comes_back(docker_stack: DockerStack) -> None:
    agent = make_agent(docker_stack)

    docker_stack.partition("postgres")
    try:
        assert httpx.get(f"{docker_stack.url}/v1/agents/{agent}", timeout=90).status_code == 500
        name = docker_stack.hostname("postgres")
        assert docker_stack.execute("letta", ["getent", "hosts", name]).exit_code != 0
    finally:
        docker_stack.rejoin("postgres")

    assert block_value(docker_stack.url, agent) == "Ann"


def test_a_partitioned_server_is_published_again_where_it_was(docker_stack: DockerStack) -> None:
    before = docker_stack.url

    docker_stack.partition("letta")
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{before}/v1/health/", timeout=2)
    docker_stack.rejoin("letta")

    assert docker_stack.url == before
    assert call(before, "GET", "/v1/health/")["status"] == "ok"
    assert call(str(docker_stack.proxy_url), "GET", "/v1/health/")["status"] == "ok"


@pytest.mark.parametrize("service", ["postgres", "letta"])
def test_a_recreated_service_is_another_container_with_the_same_data(
    docker_stack: DockerStack, engine: Engine, service: str
) -> None:
    agent = make_agent(docker_stack)
    before = docker_stack.execute(service, ["cat", "/etc/hostname"]).output

    docker_stack.recreate(service)

    assert docker_stack.execute(service, ["cat", "/etc/hostname"]).output != before
    assert block_value(docker_stack.url, agent) == "Ann"
    assert block_value(str(docker_stack.proxy_url), agent) == "Ann"


def test_a_killed_service_is_dead_until_it_is_started(docker_stack: DockerStack) -> None:
    docker_stack.kill("nginx")
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{docker_stack.proxy_url}/nginx-health", timeout=2)
    with pytest.raises(ServiceError, match="nginx cannot be paused: it is not running"):
        docker_stack.pause("nginx")
    docker_stack.start("nginx")

    assert httpx.get(f"{docker_stack.proxy_url}/nginx-health").status_code == 200


def test_a_paused_service_keeps_connections_and_answers_nothing(docker_stack: DockerStack) -> None:
    docker_stack.pause("nginx")
    try:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{docker_stack.proxy_url}/nginx-health", timeout=2)
    finally:
        docker_stack.resume("nginx")

    assert httpx.get(f"{docker_stack.proxy_url}/nginx-health").status_code == 200


def test_a_command_tells_its_exit_code_and_what_it_said(docker_stack: DockerStack) -> None:
    said = docker_stack.execute("redis", ["sh", "-c", "echo out; echo err >&2; exit 3"])

    assert (said.exit_code, sorted(said.output.split())) == (3, ["err", "out"])
    assert docker_stack.execute("redis", ["no-such-command"]).exit_code != 0


def test_a_command_apart_runs_on_no_network_of_the_stack_and_leaves_nothing(docker_stack: DockerStack) -> None:
    def ours() -> set[str]:
        filters = {"label": f"{RUN}={docker_stack.run_id}"}
        return {str(one.id) for one in docker_stack.engine.client.containers.list(all=True, filters=filters)}

    before = ours()
    name = docker_stack.hostname("postgres")

    said = docker_stack.execute_apart(["sh", "-c", f"echo out; getent hosts {name}; exit 3"])

    assert (said.exit_code, said.output) == (3, "out\n")
    assert ours() == before


def test_rows_of_the_database_can_be_read(docker_stack: DockerStack) -> None:
    found = docker_stack.query("SELECT version_num, NULL AS nothing, '\"$(x)''' AS odd FROM alembic_version")

    assert [(sorted(row), row["nothing"], row["odd"]) for row in found] == [
        (["nothing", "odd", "version_num"], None, "\"$(x)'")
    ]
    with pytest.raises(ServiceError, match=r'refused a query: .*"no_such_table" does not exist'):
        docker_stack.query("SELECT * FROM no_such_table")


def test_logs_are_the_last_lines_of_the_container(docker_stack: DockerStack) -> None:
    assert "ready to accept connections" in docker_stack.logs("postgres", 400)
    assert docker_stack.logs("letta", 3).count("\n") == 3


def test_a_service_that_never_becomes_healthy_is_named_with_its_log_and_nothing_is_left(engine: Engine) -> None:
    stack = DockerStack(letta_env={"LETTA_PG_URI": "postgresql://letta:wrong@letta-postgres:5432/letta"})

    with pytest.raises(ServiceError, match=r"letta ended with 1 .*(?s:.*)Database migration failed"):
        stack.open()

    assert made_by(engine, stack.run_id) == {"containers": 0, "networks": 0, "volumes": 0}


def test_a_missing_image_is_named_with_the_option_that_names_another(engine: Engine) -> None:
    with pytest.raises(ImageError, match=r"pytest-letta/none:1 \(for redis\) .*--letta-image redis=REFERENCE"):
        DockerStack(images={"redis": "pytest-letta/none:1"}).open()


@pytest.mark.slow
def test_an_image_can_be_named_by_its_digest(engine: Engine) -> None:
    digest = engine.client.images.get("redis:7-alpine").id

    with DockerStack(images={"redis": str(digest)}) as stack:
        container = engine.client.containers.list(filters={"name": f"{stack.run_id}-letta-redis"})[0]
        assert container.image is not None
        assert container.image.id == digest


def test_a_service_without_an_image_is_refused() -> None:
    with pytest.raises(SettingsError, match="'llm'; it can name postgres, redis, letta, nginx"):
        DockerStack(images={"llm": "python:3.11"})


def test_what_is_asked_of_a_closed_stack_is_refused() -> None:
    with pytest.raises(StackError, match="the stack is not open"):
        DockerStack().restart("letta")
    with pytest.raises(StackError, match="the stack is not open"):
        DockerStack().start_second()


def test_facts_of_the_stack_are_plain(docker_stack: DockerStack) -> None:
    facts = [docker_stack.url, docker_stack.proxy_url, docker_stack.llm_url, docker_stack.postgres_dsn]

    assert json.loads(json.dumps(facts)) == facts
