"""What the tests with containers share: an engine, the images, one Docker stack.

Without an engine they are deselected, and one line says so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_letta.errors import EngineError
from pytest_letta.stack.containers.engine import Engine
from pytest_letta.stack.docker import DockerStack

_HERE = Path(__file__).parent
_DESELECTED = pytest.StashKey[str]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    ours = [item for item in items if item.path.is_relative_to(_HERE)]
    if not ours:
        return
    try:
        Engine.connect().close()
    except EngineError as error:
        config.hook.pytest_deselected(items=ours)
        items[:] = [item for item in items if item not in ours]
        config.stash[_DESELECTED] = f"{len(ours)} tests with containers are deselected: {error}"


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    return [config.stash[_DESELECTED]] if _DESELECTED in config.stash else []


@pytest.fixture(scope="session", autouse=True)
def images() -> dict[str, str]:
    """Have every image that the tests name: there, pulled or built; return name -> which of these."""
    sys.path.insert(0, str(_HERE.parents[1] / "images"))
    try:
        from build import RECIPES, ensure
    finally:
        sys.path.pop(0)
    engine = Engine.connect()
    try:
        return {name: ensure(engine.client, name) for name in RECIPES}
    finally:
        engine.close()


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A connection to the engine."""
    connected = Engine.connect()
    yield connected
    connected.close()


@pytest.fixture(scope="session")
def docker_stack(images: dict[str, str]) -> Iterator[DockerStack]:
    """A healthy stack in containers, shared by all tests that leave it healthy."""
    with DockerStack() as stack:
        yield stack
