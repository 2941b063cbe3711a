"""The container engine: how it is reached, where its published ports answer, and what it cannot do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_letta.errors import EngineError, MissingExtraError
from pytest_letta.stack.ports import HOST

if TYPE_CHECKING:
    import docker

_LOCAL = "use --letta-stack local, which needs none"


class Engine:
    """A connection to Docker, or to what speaks its API (Podman's socket, a remote ``DOCKER_HOST``).

    Use `connect` to make one. `client` is docker's own; `host` is where ports that containers publish answer.
    """

    def __init__(self, client: docker.DockerClient, host: str) -> None:
        self.client = client
        self.host = host
        self._info: dict[str, Any] = client.info()

    @classmethod
    def connect(cls) -> Engine:
        """Reach the engine that ``DOCKER_HOST``, the current docker context or the usual socket names.

        Raises EngineError with a remedy when none answers, MissingExtraError without the packages.
        """
        try:
            import docker.errors
            import requests.exceptions
            from testcontainers.core.docker_client import DockerClient
        except ImportError as error:
            raise MissingExtraError.of("docker", "a stack of containers", str(error.name)) from None
        try:
            reached = DockerClient()
            host = reached.host()
            return cls(reached.client, HOST if host == "localhost" else host)
        except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
            raise EngineError(explained(error)) from error

    @property
    def is_remote(self) -> bool:
        """Whether the engine runs on another machine."""
        return self.host != HOST

    @property
    def publish_ip(self) -> str:
        """Address that ports are published on: our loopback address, or all of a remote engine's."""
        return "0.0.0.0" if self.is_remote else HOST

    @property
    def can_pause(self) -> bool:
        """Whether containers can be frozen; a rootless engine needs cgroup v2 for that."""
        options = self._info.get("SecurityOptions") or ()
        is_rootless = any("rootless" in option for option in options)
        return not (is_rootless and str(self._info.get("CgroupVersion", "1")) == "1")

    def close(self) -> None:
        """Close the connection."""
        self.client.close()


def explained(error: BaseException) -> str:
    """Say what keeps us from the engine, and what to do; the libraries nest the reason some levels deep."""
    where = _address()
    reasons = "; ".join(dict.fromkeys(str(cause) for cause in _causes(error)))
    kinds = [type(cause) for cause in _causes(error)]
    if PermissionError in kinds or "Permission denied" in reasons:
        return (
            f"the container engine at {where} refuses this user: join the group of the socket "
            f"(`sudo usermod -aG docker $USER`, then log in again), use a rootless engine, or {_LOCAL}."
        )
    if FileNotFoundError in kinds or "No such file or directory" in reasons:
        return f"no container engine is at {where}: start Docker or Podman's socket, set DOCKER_HOST, or {_LOCAL}."
    if ConnectionRefusedError in kinds or "Connection refused" in reasons:
        return f"nothing answers at {where}: start the engine there, set DOCKER_HOST to another, or {_LOCAL}."
    return f"the container engine at {where} cannot be used: {reasons}. Set DOCKER_HOST to another, or {_LOCAL}."


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        found += [arg for arg in error.args if isinstance(arg, BaseException) and arg not in found]
        error = error.__cause__ or error.__context__
    return found


def _address() -> str:
    from testcontainers.core.docker_client import get_docker_host

    return get_docker_host() or "unix:///var/run/docker.sock"
