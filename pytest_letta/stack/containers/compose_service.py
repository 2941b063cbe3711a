"""A service of a compose project: its containers are made by compose and found by the labels that it puts on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_letta.stack.containers.service import ContainerService
from pytest_letta.stack.service import Address

if TYPE_CHECKING:
    from docker.models.containers import Container

    from pytest_letta.stack.containers.asking import Question
    from pytest_letta.stack.containers.engine import Engine

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"


class ComposeService(ContainerService):
    """All replicas of the compose service `hostname` in `project`.

    `port` is the one inside that `address` and the addresses of the replicas lead to; ``None`` when none is
    published. `up` has compose make containers of a service that has none.
    """

    def __init__(
        self,
        name: str,
        address: Address,
        hostname: str,
        question: Question,
        *,
        engine: Engine,
        project: str,
        port: int | None,
        up: Callable[[str], None],
    ) -> None:
        super().__init__(name, address, hostname, question)
        self._engine = engine
        self._project = project
        self._port = port
        self._up = up

    def adopt(self) -> list[Container]:
        """Find the containers, by their number, and take them as those of this service."""
        chosen = [f"{PROJECT_LABEL}={self._project}", f"{SERVICE_LABEL}={self.hostname}"]
        found = self._engine.client.containers.list(all=True, filters={"label": chosen})
        self.containers = sorted(found, key=lambda one: str(one.name))
        if not self.address.port and (there := self.replicas()):
            self.address = there[0]
        return self.containers

    @property
    def has_finished(self) -> bool:
        """Whether all its containers have ended with success, as those of a job do."""
        states = self._states()
        return bool(states) and all(not state["Running"] and state["ExitCode"] == 0 for state in states)

    def make(self) -> list[Container]:
        self._up(self.hostname)
        return self.adopt()

    def replicas(self) -> list[Address]:
        """Return where each replica answers now; a replica that was restarted may have moved to another port."""
        found = []
        for container in self.containers:
            container.reload()
            bindings = container.ports.get(f"{self._port}/tcp") or []
            found += [Address(self.address.host, int(one["HostPort"])) for one in bindings[:1]]
        return found
