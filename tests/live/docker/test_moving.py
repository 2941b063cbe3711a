"""A service in a new container is at another address, as on a machine where other containers start meanwhile."""

from __future__ import annotations

from itertools import pairwise

from pytest_letta.stack.containers.engine import Engine
from pytest_letta.stack.containers.labels import RUN
from pytest_letta.stack.docker import DockerStack


def address_of(stack: DockerStack, service: str) -> str:
    return stack.execute(service, ["hostname", "-i"]).output.strip()


def test_each_new_container_is_at_another_address_and_no_stand_in_stays(
    docker_stack: DockerStack, engine: Engine
) -> None:
    chosen = {"label": f"{RUN}={docker_stack.run_id}"}
    before = len(engine.client.containers.list(all=True, filters=chosen))
    addresses = [address_of(docker_stack, "nginx")]

    for _ in range(3):
        docker_stack.recreate("nginx")
        addresses.append(address_of(docker_stack, "nginx"))

    assert all(old != new for old, new in pairwise(addresses)), addresses
    assert len(engine.client.containers.list(all=True, filters=chosen)) == before
