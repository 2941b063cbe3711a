"""Which images a stack of containers is made of, and how they come to the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pytest_letta.errors import ImageError, SettingsError

if TYPE_CHECKING:
    from pytest_letta.stack.containers.engine import Engine
    from pytest_letta.stack.progress import Progress

#: Service -> the image that Letta's users run it from; ``{version}`` is that of Letta.
IMAGES: Mapping[str, str] = {
    "postgres": "pgvector/pgvector:pg16",
    "redis": "redis:7-alpine",
    "letta": "letta/letta:{version}",
    "nginx": "nginx:1.27-alpine",
}

_MB = 1_000_000


def references(version: str, overrides: Mapping[str, str]) -> dict[str, str]:
    """Return service -> image; `overrides` names other images, by tag or digest, for some of them.

    Raises SettingsError for a service that has no image.
    """
    if unknown := sorted(set(overrides) - set(IMAGES)):
        raise SettingsError(f"letta_image names {unknown[0]!r}; it can name {', '.join(IMAGES)}.")
    return {service: overrides.get(service, image.format(version=version)) for service, image in IMAGES.items()}


def ensure(engine: Engine, service: str, reference: str, progress: Progress) -> None:
    """Pull the image `reference` unless the engine has it.

    Raises ImageError, with the option that names another, when it cannot be had.
    """
    import docker.errors

    try:
        engine.client.images.get(reference)
        return
    except docker.errors.ImageNotFound:
        pass
    except docker.errors.APIError as error:
        raise ImageError(f"{reference!r} is no image ({error.explanation}){_remedy(service)}") from error
    try:
        with progress.step(f"pulling {reference}") as tell:
            _pull(engine, reference, tell)
    except (docker.errors.APIError, _PullError) as error:
        reason = getattr(error, "explanation", None) or str(error)
        raise ImageError(
            f"the image {reference} (for {service}) is not on this machine and cannot be pulled: {reason}"
            f"{_remedy(service)}"
        ) from error


class _PullError(Exception):
    """The registry said, in the middle of a pull, why it will not go on."""


def _pull(engine: Engine, reference: str, tell: Callable[[str], None]) -> None:
    repository, tag = _split(reference)
    layers: dict[str, tuple[int, int]] = {}
    for message in engine.client.api.pull(repository, tag=tag, stream=True, decode=True):
        if "error" in message:
            raise _PullError(message["error"])
        _count(message, layers)
        done, total = (sum(column) // _MB for column in zip(*layers.values(), strict=True)) if layers else (0, 0)
        if total:
            tell(f"{done} of {total} MB, {len(layers)} layers")


def _count(message: Mapping[str, Any], layers: dict[str, tuple[int, int]]) -> None:
    detail = message.get("progressDetail") or {}
    if message.get("status") == "Downloading" and "total" in detail:
        layers[message["id"]] = (detail["current"], detail["total"])
    elif message.get("status") == "Download complete" and message.get("id") in layers:
        total = layers[message["id"]][1]
        layers[message["id"]] = (total, total)


def _split(reference: str) -> tuple[str, str]:
    """Return repository and tag or digest, as the engine's API wants them."""
    from docker.utils import parse_repository_tag

    repository, tag = parse_repository_tag(reference)
    return repository, tag or "latest"


def _remedy(service: str) -> str:
    return f". Load it with `docker load`, or name another with --letta-image {service}=REFERENCE."
