"""testcontainers' own reaper, a container called Ryuk: used where its image is, done without where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import docker.errors
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import Reaper
from testcontainers.core.labels import create_labels
from testcontainers.core.network import Network

if TYPE_CHECKING:
    from pytest_letta.stack.containers.engine import Engine


def choose(engine: Engine, *, keep: bool) -> None:
    """Let testcontainers start Ryuk if the engine has its image; never for a stack that is to outlive us.

    Our own reaper removes at the next start what Ryuk would remove at once.
    """
    if keep or not _has_image(engine):
        testcontainers_config.ryuk_disabled = True
    if not testcontainers_config.ryuk_disabled:
        Reaper.get_instance()  # now, and not by whichever of the threads comes first


def network(name: str, labels: Mapping[str, str]) -> Network:
    """Create the network `name`, on a subnet that the engine finds free, labelled for both reapers."""
    made = Network(docker_network_kw={"labels": dict(labels), "driver": "bridge"})
    made.name = name
    return made.create()


def labelled(labels: Mapping[str, str]) -> dict[str, str]:
    """Return `labels` with those by which Ryuk finds what belongs to this process."""
    return create_labels("", dict(labels))


def _has_image(engine: Engine) -> bool:
    try:
        engine.client.images.get(testcontainers_config.ryuk_image)
    except docker.errors.ImageNotFound:
        return False
    return True
