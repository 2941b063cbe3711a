"""One service that is a container, or several replicas of one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import docker.errors

from pytest_letta.errors import PortTakenError, ServiceError
from pytest_letta.stack.containers.moving import held, places_of
from pytest_letta.stack.service import Address, Service
from pytest_letta.stack.stack import Execution

if TYPE_CHECKING:
    from docker.models.containers import Container
    from docker.models.networks import Network

#: Longer than docker's own 10 s: a server that is asked to end first finishes the turns it has begun.
_STOP_LIMIT_S = 20
_PORT_TAKEN = (
    "port is already allocated",
    "all ports are allocated",
    "address already in use",
    "ports are not available",
)


class ContainerService(Service):
    """Containers of one image under one name on the network, `hostname`.

    `ask` is the request that tells whether the service is healthy: it gets this service and a limit in seconds, and
    returns ``None`` or what came instead. The container's own health check, where it has one, must agree.
    """

    start_limit_s = 180.0

    def __init__(
        self, name: str, address: Address, hostname: str, ask: Callable[[ContainerService, float], str | None]
    ) -> None:
        self.name = name
        self.address = address
        self.hostname = hostname
        self._ask = ask
        self.containers: list[Container] = []
        self._left: list[tuple[Container, Network, list[str]]] = []

    @abstractmethod
    def make(self) -> list[Container]:
        """Create the containers and start them; raise PortTakenError when somebody has their port."""

    @property
    def is_running(self) -> bool:
        return bool(self.containers) and all(state["Running"] for state in self._states())

    @property
    def log_place(self) -> str:
        return f"`docker logs {self.containers[0].name if self.containers else self.hostname}`"

    def launch(self, *, cold: bool = False) -> None:
        if not self.containers:
            self.containers = self.make()
        for container in self.containers:
            start(container)

    def stop(self) -> bool:
        self._thaw()
        for container in self.containers:
            container.stop(timeout=_STOP_LIMIT_S)
        return all(state["ExitCode"] != 137 for state in self._states())

    def kill(self) -> None:
        for container in self.containers:
            with suppress(docker.errors.APIError):  # it does not run
                container.kill()
            container.wait(timeout=_STOP_LIMIT_S)

    def end(self) -> None:
        for container in self.containers:
            with suppress(docker.errors.NotFound):
                container.remove(force=True, v=True)
        self.containers = []

    def pause(self) -> None:
        self._require("paused")
        for container in self.containers:
            container.pause()

    def resume(self) -> None:
        self._require("resumed")
        self._thaw()

    def partition(self) -> None:
        """Disconnect it from all its networks; raise ServiceError when it does not run."""
        self._require("partitioned")
        for container in self.containers:
            container.reload()
            for name, endpoint in container.attrs["NetworkSettings"]["Networks"].items():
                network = _client(container).networks.get(name)
                network.disconnect(container)
                self._left.append((container, network, endpoint.get("Aliases") or []))

    def rejoin(self) -> None:
        """Connect it to the networks that it was taken from, under the same names."""
        for container, network, aliases in self._left:
            # The engine adds the id of the container by itself.
            network.connect(container, aliases=[alias for alias in aliases if alias != container.short_id])
        self._left = []

    def recreate(self) -> None:
        """Stop and remove the containers, not their named volumes, and start new ones at other addresses."""
        places = places_of(self.containers)
        self.stop()
        self.end()
        self._left = []
        with held(places):
            self.launch()

    def execute(self, command: Sequence[str]) -> Execution:
        """Run `command` in the first container; raise ServiceError when it does not run."""
        self._require("asked to run a command")
        try:
            code, output = self.containers[0].exec_run(list(command))
        except docker.errors.APIError as error:
            return Execution(126, str(error.explanation))
        return Execution(int(code or 0), output.decode(errors="replace") if isinstance(output, bytes) else "")

    def check(self, limit_s: float) -> str | None:
        answer = self._ask(self, limit_s)
        if answer is not None:
            return answer
        for state in self._states():
            health = state.get("Health")
            if health and health["Status"] != "healthy":
                last = health["Log"][-1]["Output"].strip() if health.get("Log") else "nothing yet"
                return f"the health check of the container says {health['Status']}: {last}"
        return None

    def log_tail(self, lines: int = 40) -> str:
        tails = [log_tail(container, lines) for container in self.containers]
        if len(tails) == 1:
            return tails[0]
        return "".join(f"[{one.name}]\n{tail}" for one, tail in zip(self.containers, tails, strict=True))

    def ending(self) -> str:
        dead = [state for state in self._states() if not state["Running"]]
        if not dead:
            return "has no container"
        why = ", out of memory" if dead[0].get("OOMKilled") else ""
        return f"ended with {dead[0]['ExitCode']}{why}"

    def _states(self) -> list[dict[str, Any]]:
        for container in self.containers:
            container.reload()
        return [container.attrs["State"] for container in self.containers]

    def _thaw(self) -> None:
        for container, state in zip(self.containers, self._states(), strict=True):
            if state["Paused"]:
                container.unpause()

    def _require(self, participle: str) -> None:
        if not self.is_running:
            raise ServiceError(f"{self.name} cannot be {participle}: it is not running.")


def _client(container: Container) -> docker.DockerClient:
    assert container.client is not None
    return container.client


def log_tail(container: Container, lines: int) -> str:
    """Return the last `lines` lines that a container logged."""
    try:
        log = container.logs(tail=lines)
    except docker.errors.APIError as error:  # removed, or a log driver that gives nothing back
        return f"(no log: {error.explanation})\n"
    return log.decode(errors="replace") if isinstance(log, bytes) else ""


def start(container: Container) -> None:
    """Start `container`, if it does not run; raise PortTakenError when somebody has a port that it publishes."""
    try:
        container.start()
    except docker.errors.APIError as error:
        explained_start(error, str(container.name))


def is_port_taken(said: str) -> bool:
    """Tell whether an engine says that somebody else has a port."""
    return any(words in said.lower() for words in _PORT_TAKEN)


def explained_start(error: docker.errors.APIError, name: str) -> None:
    """Raise what an engine's refusal to start the container `name` means: PortTakenError or ServiceError."""
    said = str(error.explanation or error)
    if is_port_taken(said):
        raise PortTakenError(f"the engine cannot publish a port of {name}: {said}") from error
    raise ServiceError(f"the engine cannot start {name}: {said}") from error
