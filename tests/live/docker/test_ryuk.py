"""testcontainers' own reaper is used where its image is, and done without where it is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import Reaper
from testcontainers.core.labels import LABEL_SESSION_ID

from pytest_letta.stack.containers import ryuk
from pytest_letta.stack.containers.engine import Engine


@pytest.fixture
def undecided(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody has said yet whether Ryuk is to be used."""
    monkeypatch.delenv("TESTCONTAINERS_RYUK_DISABLED", raising=False)
    monkeypatch.setattr(testcontainers_config, "_ryuk_disabled", None)
    yield
    Reaper.delete_instance()


@pytest.mark.usefixtures("undecided")
def test_without_its_image_it_is_not_asked_for(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testcontainers_config, "ryuk_image", "pytest-letta/no-such-ryuk:1")

    ryuk.choose(engine, keep=False)

    assert testcontainers_config.ryuk_disabled


@pytest.mark.usefixtures("undecided")
def test_a_stack_that_is_kept_does_without_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testcontainers_config, "ryuk_image", "redis:7-alpine")  # there is one

    ryuk.choose(engine, keep=True)

    assert testcontainers_config.ryuk_disabled


def test_networks_carry_the_labels_of_both_reapers(engine: Engine) -> None:
    network = ryuk.network("pytest-letta-test-labels", {"pytest-letta.test": "1"})
    try:
        labels = engine.client.networks.get(str(network.id)).attrs["Labels"]
        assert labels["pytest-letta.test"] == "1"
        assert LABEL_SESSION_ID in labels
    finally:
        network.remove()
