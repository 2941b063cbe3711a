"""``--letta-url`` with a deployment that somebody runs in containers, restarted by the commands people use."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from pytest_letta.stack.containers.engine import Engine
from pytest_letta.stack.docker import DockerStack
from pytest_letta.stack.ports import free_ports

_FILE = dedent(
    """
    services:
      database:
        image: pgvector/pgvector:pg16
        environment: {{POSTGRES_USER: letta, POSTGRES_PASSWORD: s3cret, POSTGRES_DB: letta}}
        volumes: [./vector.sql:/docker-entrypoint-initdb.d/vector.sql:ro]
        healthcheck: {{test: pg_isready -U letta -h 127.0.0.1, interval: 1s, retries: 60}}
      my-letta:
        image: letta/letta:0.16.8
        depends_on: {{database: {{condition: service_healthy}}}}
        environment:
          LETTA_PG_URI: postgresql://letta:s3cret@database:5432/letta
          OPENAI_API_KEY: unused
          OPENAI_API_BASE: http://letta-llm:8080/v1
        ports: ["127.0.0.1:{port}:8283"]
        networks: [default, models]
        healthcheck: {{test: curl -fsS http://127.0.0.1:8283/v1/health/, interval: 1s, retries: 120}}
    networks:
      models: {{name: {network}, external: true}}
    """
)


@dataclass(frozen=True)
class ComposeProject:
    """A stack that a user runs by ``docker compose``."""

    name: str
    file: Path
    url: str

    def compose(self, *arguments: str) -> None:
        command = ["docker", "compose", "-f", str(self.file), "-p", self.name, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def compose_project(tmp_path: Path, docker_stack: DockerStack) -> Iterator[ComposeProject]:
    """A user's own stack, healthy; its model is that of the shared stack."""
    port = free_ports(1)[0]
    file = tmp_path / "docker-compose.yml"
    file.write_text(_FILE.format(port=port, network=f"pytest-letta-{docker_stack.run_id}"))
    (tmp_path / "vector.sql").write_text("CREATE EXTENSION vector;")
    project = ComposeProject(f"users-{port}", file, f"http://127.0.0.1:{port}")
    try:
        project.compose("up", "--detach", "--wait")
        yield project
    finally:
        project.compose("down", "--volumes", "--timeout", "0")


def started_at(engine: Engine, name: str) -> str:
    return str(engine.client.containers.get(name).attrs["State"]["StartedAt"])


def run_against(pytester: pytest.Pytester, url: str, proxy_url: str | None, llm_url: str | None, restart: str) -> str:
    """Run one contract that restarts; return its verdict."""
    further = [f"--letta-proxy-url={proxy_url}"] if proxy_url else []
    further += [f"--letta-llm={llm_url}"] if llm_url else []
    result = pytester.runpytest_subprocess(
        *("-p", "no:schemathesis", f"--letta-url={url}", *further, "--letta-suite=memory", "-k=MEM-RESTART-001"),
        *(f"--letta-restart={restart}", "--letta-report=report.json"),
    )
    assert result.ret == 0, result.stdout.str()
    document = json.loads(Path("report.json").read_text())
    assert document["target"]["provider"] == "external"
    return str(document["contracts"][0]["verdict"])


def test_docker_restart(pytester: pytest.Pytester, docker_stack: DockerStack, engine: Engine) -> None:
    name = f"pytest-letta-{docker_stack.run_id}-letta-server"
    before = started_at(engine, name)

    verdict = run_against(
        pytester, docker_stack.url, docker_stack.proxy_url, docker_stack.llm_url, f"docker restart {name}"
    )

    assert verdict == "pass"
    assert started_at(engine, name) > before


def test_docker_compose_restart(pytester: pytest.Pytester, engine: Engine, compose_project: ComposeProject) -> None:
    container = f"{compose_project.name}-my-letta-1"
    before = started_at(engine, container)

    verdict = run_against(
        pytester,
        compose_project.url,
        None,
        None,
        f"docker compose -f {compose_project.file} -p {compose_project.name} restart my-letta",
    )

    assert verdict == "pass"
    assert started_at(engine, container) > before
