"""What is said when no container engine can be used, and what a stack of containers may be made of."""

from __future__ import annotations

import gc
import socket
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("testcontainers")

from pytest_letta.errors import EngineError, SettingsError
from pytest_letta.stack.containers import labels
from pytest_letta.stack.containers.engine import Engine, explained
from pytest_letta.stack.containers.images import IMAGES, references
from pytest_letta.stack.rundir import RunDir


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """The package docker does not close a socket by which it could not connect; no later test is to hear of it."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def test_no_socket_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")

    with pytest.raises(EngineError, match=r"no container engine is at unix://.*none\.sock.*--letta-stack local"):
        Engine.connect()


def test_a_refused_connection_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{unused.getsockname()[1]}"
    monkeypatch.setenv("DOCKER_HOST", address)

    with pytest.raises(EngineError, match=f"nothing answers at {address}: start the engine there"):
        Engine.connect()


def test_what_is_no_engine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "gopher://nowhere")

    with pytest.raises(EngineError, match=r"cannot be used: .*gopher"):
        Engine.connect()


def test_missing_rights_are_told_with_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    refused = RuntimeError("while fetching server API version")
    refused.__cause__ = PermissionError(13, "Permission denied")

    assert "refuses this user: join the group of the socket (`sudo usermod -aG docker $USER`" in explained(refused)


def test_images_are_those_that_users_run() -> None:
    assert references("0.16.5", {}) == {
        "postgres": "pgvector/pgvector:pg16",
        "redis": "redis:7-alpine",
        "letta": "letta/letta:0.16.5",
        "nginx": "nginx:1.27-alpine",
    }


def test_one_image_can_be_another() -> None:
    digest = "pgvector/pgvector@sha256:" + "0" * 64

    assert references("0.16.8", {"postgres": digest}) == {**references("0.16.8", {}), "postgres": digest}


def test_an_image_of_what_is_no_service_is_refused() -> None:
    with pytest.raises(SettingsError, match=f"names 'mysql'; it can name {', '.join(IMAGES)}"):
        references("0.16.8", {"mysql": "mysql:8"})


def test_labels_say_whose_something_is(tmp_path: Path) -> None:
    owner = labels.ownership(labels.labels_of("0badcafe", tmp_path, keep=False))

    assert owner is not None
    assert (owner.run, owner.folder, owner.is_ours, owner.is_kept) == ("0badcafe", tmp_path, True, False)


def test_what_has_no_label_of_ours_is_nobodys() -> None:
    assert labels.ownership({"com.docker.compose.project": "mine"}) is None


def test_an_owner_is_gone_when_nobody_holds_the_lock_of_its_folder(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run")
    owner = labels.ownership(labels.labels_of("0badcafe", run.path, keep=False))
    assert owner is not None

    assert not owner.is_orphaned
    run.release()
    assert owner.is_orphaned


def test_an_owner_is_gone_when_its_folder_is(tmp_path: Path) -> None:
    owner = labels.ownership(labels.labels_of("0badcafe", tmp_path / "removed", keep=False))

    assert owner is not None
    assert owner.is_orphaned


def test_labels_do_not_tell_who_the_user_is(tmp_path: Path) -> None:
    told = " ".join(labels.labels_of("0badcafe", tmp_path, keep=True).values())

    assert socket.gethostname() not in told
