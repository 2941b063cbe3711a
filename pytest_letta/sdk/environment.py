"""Finds a Python that has a version of letta-client: this one, or a cached environment."""

from __future__ import annotations

import os
import sys
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_letta.errors import MissingExtraError
from pytest_letta.sdk.versions import Client
from pytest_letta.stack import cache
from pytest_letta.stack.commands import run_for_cache

if TYPE_CHECKING:
    from pytest_letta.stack.progress import Progress

_FEATURE = "driving a server by its official client"


def installed() -> str | None:
    """Return the version of letta-client that this Python has, if it has one."""
    try:
        return metadata.version("letta-client")
    except metadata.PackageNotFoundError:
        return None


def command(client: Client, cache_dir: Path, progress: Progress) -> list[str]:
    """Return how to run a Python that has `client`, installed into the cache unless this Python has that version.

    Raises MissingExtraError without uv, CacheError when the cache cannot be written and StackError when the client
    cannot be installed.
    """
    if installed() == client.version:
        return own_command()

    def build(entry: Path, lock: int) -> None:
        with progress.step(f"installing letta-client {client.version}"):
            _build(entry, client, lock)

    tag = f"py{sys.version_info.major}.{sys.version_info.minor}"
    with cache.explained(cache_dir):
        entry = cache_dir / "sdk" / f"{client.version}-{tag}"
        return [str(_python(cache.ensure(entry, build, progress, _has_interpreter))), "-I"]


def own_command() -> list[str]:
    """Return how to run this Python; it does not look for modules beside a script that it runs."""
    return [sys.executable, "-P"]


def _python(entry: Path) -> Path:
    return entry / "env" / "bin" / "python"


def _has_interpreter(entry: Path) -> bool:
    return os.access(_python(entry), os.X_OK)


def _build(entry: Path, client: Client, lock: int) -> None:
    if util.find_spec("uv") is None:
        raise MissingExtraError.of("sdk", f"{_FEATURE} {client.version}", "uv")
    from uv import find_uv_bin

    uv, what = find_uv_bin(), f"letta-client {client.version}"
    run_for_cache(
        [uv, "venv", "--quiet", "--no-project", "--python", sys.executable, entry / "env"],
        f"an environment for {what}",
        folder=entry,
        lock=lock,
    )
    run_for_cache(
        [
            *(uv, "pip", "install", "--quiet", "--python", _python(entry)),
            *("--exclude-newer", client.as_of, f"letta-client=={client.version}"),
        ],
        what,
        folder=entry,
        lock=lock,
    )
