"""Has a new container get another address than the one that it comes in the place of.

Engines hand the lowest free address out, so that a container which is made anew at once keeps its old one. Where
others start meanwhile, as on any machine that is in use, it does not; what remembered the old one is lost then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import docker.errors

if TYPE_CHECKING:
    from docker.models.containers import Container

#: Labels by which compose would take the container for one of its own.
_COMPOSE = "com.docker.compose."
_LIFE_S = "600"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a container was: its address on one of its networks, and what a stand-in for it is made of."""

    client: docker.DockerClient
    network: str
    address: str
    image: str
    labels: dict[str, str]


def places_of(containers: Sequence[Container]) -> list[Place]:
    """Return where `containers` are now, a place for each of their networks but for addresses given by hand."""
    found = []
    for container in containers:
        container.reload()
        assert container.client is not None
        # Emptied, not left out: an image that compose built has them too, and hands them down.
        labels = {name: "" if name.startswith(_COMPOSE) else value for name, value in container.labels.items()}
        for network, endpoint in container.attrs["NetworkSettings"]["Networks"].items():
            image = str(container.attrs["Image"])
            if not (endpoint.get("IPAMConfig") or {}).get("IPv4Address"):
                found.append(Place(container.client, network, str(endpoint.get("IPAddress")), image, labels))
    return found


@contextmanager
def held(places: Sequence[Place]) -> Iterator[None]:
    """Have nobody get an address of `places`, whose containers are gone, while this holds.

    What cannot be held, for the image has no command ``sleep``, is not.
    """
    with ExitStack() as opened:
        for place in places:
            with suppress(docker.errors.APIError):
                opened.enter_context(_stand_in(place))
        yield


@contextmanager
def _stand_in(place: Place) -> Iterator[None]:
    container = place.client.containers.create(
        place.image,
        [_LIFE_S],
        entrypoint=["sleep"],
        labels=place.labels,
        network=place.network,
        healthcheck={"test": ["NONE"]},
    )
    try:
        container.start()
        if _address(container, place.network) == place.address:
            yield
            return
    finally:
        with suppress(docker.errors.NotFound):
            container.remove(force=True, v=True)
    # There was a lower one, which the new container gets now that it is free again.
    yield


def _address(container: Container, network: str) -> Any:
    container.reload()
    return container.attrs["NetworkSettings"]["Networks"][network]["IPAddress"]
