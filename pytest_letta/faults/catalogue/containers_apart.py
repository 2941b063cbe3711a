"""Faults of services that can be reached by who is on another network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pytest_letta.faults.stack import StackFault, State
from pytest_letta.stack.stack import Stack


def _on_the_default_network_too(service: str) -> State:
    """Have the container of `service` be where every container is that names no network."""

    @contextmanager
    def during(stack: Stack) -> Iterator[None]:
        from pytest_letta.stack.containers.engine import Engine

        engine = Engine.connect()
        bridge = engine.client.networks.get("bridge")
        container = engine.client.containers.get(stack.execute(service, ["hostname"]).output.strip())
        bridge.connect(container)
        try:
            yield
        finally:
            bridge.disconnect(container)
            engine.close()

    return during


FAULTS = tuple(
    StackFault(
        name=f"{service}-is-on-the-default-network-too",
        kills=(f"NET-APART-001[{service}]",),
        reason=f"{service} is reached from another network, at ",
        during=_on_the_default_network_too(service),
    )
    for service in ("letta", "postgres", "redis")
)
