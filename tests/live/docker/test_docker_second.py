"""A second server in containers: contracts on volumes, backups and replicas hold, and nothing of it stays."""

from __future__ import annotations

import httpx
import pytest
from judging import Judge, judge_on
from live_agents import block_value, make_agent

from pytest_letta.stack.containers.engine import Engine
from pytest_letta.stack.containers.labels import RUN
from pytest_letta.stack.docker import DockerStack

#: Each starts a server in a container, half a minute of work.
_SLOW = ("MEM-VOLUME-001", "MEM-VOLUME-003", "MEM-REPLICA-001", "MEM-REPLICA-002", "MEM-REPLICA-003")


@pytest.fixture
def judge(pytester: pytest.Pytester, docker_stack: DockerStack) -> Judge:
    return judge_on(docker_stack, pytester)


def made_by(engine: Engine, run: str) -> tuple[int, int]:
    """Count containers and volumes that are labelled as of `run`."""
    chosen = {"label": f"{RUN}={run}"}
    client = engine.client
    return len(client.containers.list(all=True, filters=chosen)), len(client.volumes.list(filters=chosen))


def test_it_has_containers_and_a_volume_of_the_run_until_it_ends(docker_stack: DockerStack, engine: Engine) -> None:
    agent = make_agent(docker_stack)

    second = docker_stack.start_second("copy")
    made, seen = made_by(engine, docker_stack.run_id), block_value(second.url, agent)
    docker_stack.stop_second()

    assert (made, seen) == ((7, 3), "Ann")
    assert made_by(engine, docker_stack.run_id) == (5, 2)
    assert block_value(docker_stack.url, agent) == "Ann"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{second.url}/v1/health/")


@pytest.mark.parametrize(
    "ids",
    [("MEM-BACKUP-001", "MEM-BACKUP-002", "MEM-VOLUME-002"), pytest.param(_SLOW, marks=pytest.mark.slow)],
    ids=["backups", "servers"],
)
def test_volumes_backups_and_replicas_keep_their_promises(judge: Judge, ids: tuple[str, ...]) -> None:
    records = judge("memory", " or ".join(ids))

    assert {id: one["cause"] for id, one in records.items()} == dict.fromkeys(ids, "")
    assert {one["verdict"] for one in records.values()} == {"pass"}
