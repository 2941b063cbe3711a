"""A service of the Docker provider: a container that testcontainers makes from a blueprint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import docker.errors
from testcontainers.core.container import DockerContainer

from pytest_letta.stack.containers.service import ContainerService, explained_start

if TYPE_CHECKING:
    from docker.models.containers import Container
    from testcontainers.core.network import Network

    from pytest_letta.stack.containers.blueprints import Blueprint
    from pytest_letta.stack.service import Address

_SECOND = 1_000_000_000
_HEALTH_INTERVAL_S = 2


class TestcontainerService(ContainerService):
    """One container on `network`; `publish_ip` and the port of `address` are where it is published.

    `tls` is where it is published too, if the blueprint has a port for TLS.
    """

    __test__ = False  # not a class of tests, whatever its name

    def __init__(
        self,
        name: str,
        blueprint: Blueprint,
        address: Address,
        network: Network,
        *,
        publish_ip: str,
        run: str,
        labels: Mapping[str, str],
        tls: Address | None = None,
    ) -> None:
        super().__init__(name, address, blueprint.hostname, blueprint.question)
        self._blueprint = blueprint
        self._network = network
        self._publish_ip = publish_ip
        self._container_name = f"pytest-letta-{run}-{blueprint.hostname}"
        self._labels = dict(labels)
        self._tls = tls

    def make(self) -> list[Container]:
        plan = self._blueprint
        made = DockerContainer(plan.image, command=list(plan.command) if plan.command else None)  # type: ignore[arg-type]
        made.with_name(self._container_name).with_network(self._network).with_network_aliases(self.hostname)
        made.with_envs(**plan.environment)
        if plan.volume is not None:
            made.with_volume_mapping(self.volume_name, plan.volume, "rw")
        for port, address in ((plan.port, self.address), (plan.tls_port, self._tls)):
            if port is not None and address is not None:
                made.ports[f"{port}/tcp"] = (self._publish_ip, address.port)  # type: ignore[assignment]
        for content, path in plan.files:
            made.with_copy_into_container(content, path)
        made.with_kwargs(**self._further())
        try:
            made.start()
        except docker.errors.APIError as error:
            explained_start(error, self._container_name)
        return [made.get_wrapped_container()]

    @property
    def volume_name(self) -> str:
        """Name of the volume that outlives the container."""
        return f"{self._container_name}-data"

    def _further(self) -> dict[str, Any]:
        interval = _HEALTH_INTERVAL_S * _SECOND
        return {
            "entrypoint": list(self._blueprint.entrypoint) if self._blueprint.entrypoint else None,
            "labels": self._labels,
            "healthcheck": {
                "test": ["CMD-SHELL", self._blueprint.healthy],
                "interval": interval,
                "timeout": 5 * _SECOND,
                "retries": 30,
            },
        }
