"""Runs a command in a container that is on no network of a stack, as one of somebody else is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import docker.errors

from pytest_letta.errors import ServiceError
from pytest_letta.stack.stack import Execution

if TYPE_CHECKING:
    from docker.models.containers import Container

#: Labels by which compose would take the container for one of its own.
_COMPOSE = "com.docker.compose."
_LIMIT_S = 60


def execute(model: Container, command: Sequence[str]) -> Execution:
    """Run `command` in a new container of the image of `model`, with its labels, on the engine's default network.

    The container is removed afterwards. Raises ServiceError when it does not start, or does not end within a minute.
    """
    assert model.client is not None
    assert model.image is not None
    # Emptied, not left out: an image that compose built has them too, and hands them down.
    labels = {name: "" if name.startswith(_COMPOSE) else value for name, value in model.labels.items()}
    container = model.client.containers.create(
        model.image, list(command[1:]), entrypoint=[command[0]], labels=labels, healthcheck={"test": ["NONE"]}
    )
    try:
        container.start()
        code = int(container.wait(timeout=_LIMIT_S)["StatusCode"])
        return Execution(code, container.logs().decode(errors="replace"))
    except (docker.errors.APIError, OSError) as error:
        raise ServiceError(f"a container apart from the stack did not run: {error}") from error
    finally:
        with suppress(docker.errors.NotFound):
            container.remove(force=True, v=True)
