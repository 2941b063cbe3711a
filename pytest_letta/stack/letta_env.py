"""The cached environment that holds one version of the Letta server, with its migrations."""

from __future__ import annotations

import os
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_letta.errors import StackError
from pytest_letta.stack import cache, wheels
from pytest_letta.stack.commands import run_for_cache
from pytest_letta.stack.progress import Progress
from pytest_letta.stack.releases import PYTHON_MINORS, Release

# What the official image has beyond the plain package; without uvloop every second message stalls for a minute.
COMPANIONS = (
    "asyncpg",
    "pg8000",
    "pgvector",
    "psycopg2-binary",
    "aiosqlite",
    "fastapi",
    "uvicorn",
    "uvloop",
    "redis",
    "sqlite-vec",
    "websockets",
    "pip",
)
_MIGRATIONS = ("alembic", "alembic.ini")


@dataclass(frozen=True, slots=True)
class LettaEnv:
    """An installed server."""

    version: str
    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "env" / "bin" / "python"

    @property
    def letta(self) -> Path:
        """The command line of the server."""
        return self.folder / "env" / "bin" / "letta"

    @property
    def alembic(self) -> Path:
        return self.folder / "env" / "bin" / "alembic"

    @property
    def encodings(self) -> Path | None:
        """The folder with tokenizers that llama-index brings; without it Letta 0.11 downloads them at first use."""
        places = (self.folder / "env" / "lib").glob("python*/site-packages/llama_index/core/_static/tiktoken_cache")
        return next(places, None)

    @property
    def migrations(self) -> Path:
        """The folder with ``alembic.ini``; the wheel has none, so they come from the sdist."""
        return self.folder / "migrations"


def ensure_letta_env(release: Release, cache_dir: Path, progress: Progress) -> LettaEnv:
    """Return the environment of `release`, installed at the first call.

    Raises CacheError when the cache cannot be written and StackError when it cannot be installed.
    """
    python, tag = _wanted_python()

    def build(entry: Path, lock: int) -> None:
        with progress.step(f"installing letta {release.version}"):
            _build(LettaEnv(release.version, entry), release, python, lock)

    with cache.explained(cache_dir):
        kind = cache_dir / "letta"
        entry = cache.ensure(kind / f"{release.version}-{tag}", build, progress, _has_interpreter)
    return LettaEnv(release.version, entry)


def _wanted_python() -> tuple[str, str]:
    """Return what to ask uv for, and the part of the entry's name that stands for it."""
    if sys.version_info.major == 3 and sys.version_info.minor in PYTHON_MINORS:
        return sys.executable, f"py3.{sys.version_info.minor}"
    return f">=3.{PYTHON_MINORS.start},<3.{PYTHON_MINORS.stop}", "py3"


def _has_interpreter(entry: Path) -> bool:
    # The environment links to a Python of the machine, which may have been removed since.
    return os.access(LettaEnv("", entry).python, os.X_OK)


def _build(env: LettaEnv, release: Release, python: str, lock: int) -> None:
    def run(command: Sequence[str | Path], what: str) -> None:
        run_for_cache(command, what, folder=env.folder, lock=lock)

    uv = wheels.uv()
    what = f"letta {release.version}"
    run([uv, "venv", "--quiet", "--no-project", "--python", python, env.folder / "env"], f"an environment for {what}")
    run(
        [
            uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            env.python,
            "--exclude-newer",
            release.as_of,
            f"letta=={release.version}",
            *COMPANIONS,
            *release.pins,
        ],
        what,
    )
    run(
        # uv cannot download an sdist. -I: nothing of the user's Python settings reaches this pip.
        [
            env.python,
            "-I",
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--no-binary",
            "letta",
            "--dest",
            env.folder / "sdist",
            f"letta=={release.version}",
        ],
        f"the migrations of {what}",
    )
    _unpack_migrations(env)


def _unpack_migrations(env: LettaEnv) -> None:
    archives = list((env.folder / "sdist").glob("letta-*.tar.gz"))
    if len(archives) != 1:
        raise StackError(f"the sdist of letta {env.version} is missing: {env.folder / 'sdist'} holds {archives}.")
    with tarfile.open(archives[0]) as archive:
        for member in archive:
            _, _, inner = member.name.partition("/")
            content = archive.extractfile(member)  # None for what is no file
            if inner.split("/")[0] in _MIGRATIONS and ".." not in inner.split("/") and content is not None:
                target = env.migrations / inner
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())
    archives[0].unlink()
    if not (env.migrations / "alembic.ini").exists():
        raise StackError(f"the sdist of letta {env.version} holds no migrations.")
