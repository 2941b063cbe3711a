"""What the tests with real stacks share: see `live_stack` in the folder above."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_letta.settings import resolve


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "live: starts a real Letta server; seconds to minutes.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("live")


@pytest.fixture(scope="session")
def cache_dir(pytestconfig: pytest.Config) -> Path:
    """The folder that keeps installed servers between runs."""
    return resolve(pytestconfig).cache_dir
