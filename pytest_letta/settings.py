"""Resolves the OPTIONS table to frozen Settings: option > environment > ini > default."""

from __future__ import annotations

import os
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pytest_letta.errors import SettingsError
from pytest_letta.options import FILE_SUITE, OPTIONS, Option

if TYPE_CHECKING:
    import pytest

_NAMES = tuple(option.name for option in OPTIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a run was asked to do, checked; `sources` tells where each value that was set came from."""

    url: str | None
    proxy_url: str | None
    token: str | None = field(repr=False)
    stack: Literal["local", "docker", "compose", "none"]
    image: tuple[str, ...]
    compose: Path | None
    compose_service: tuple[str, ...]
    version: str
    contracts: bool
    suite: tuple[str, ...]
    level: Literal["must", "should", "may"]
    known: Path | None
    report: tuple[Path, ...]
    origin: str | None
    restart: str | None
    read_only: bool
    model: str | None
    embedding: str | None
    llm: str | None
    keep: bool
    timeout: float
    allow_incomplete: bool
    cache_dir: Path
    sources: Mapping[str, str]

    @property
    def is_used(self) -> bool:
        """Whether the run names a target, or asks for contracts."""
        return self.contracts or self.url is not None or self.stack != "none" or self.compose is not None


def add_options(parser: pytest.Parser) -> None:
    """Register each option on the command line and in the ini file."""
    group = parser.getgroup("letta", "Letta deployments (pytest-letta)")
    for option in OPTIONS:
        text = f"{option.help} [env {option.env[-1]}]"
        if option.is_switch:
            group.addoption(option.flag, action="store_true", default=None, help=text)
        else:
            action = "append" if option.repeatable else "store"
            group.addoption(option.flag, action=action, default=None, metavar=option.metavar, help=text)
        parser.addini(option.ini, f"{option.help} [{option.flag}]", default=None)


class Given(Protocol):
    """What the command line and the ini file say; a `pytest.Config` is one."""

    def getoption(self, name: str, /, default: Any) -> Any:
        """Return the value of an option, such as ``letta_url``; `default` when it was not given."""

    def getini(self, name: str, /) -> Any:
        """Return the value of the same name in the ini file, or ``None``."""


def resolve(
    config: Given, environ: Mapping[str, str] | None = None, *, only: Container[str] = frozenset(_NAMES)
) -> Settings:
    """Return the settings of a run; raise SettingsError in one line for the first that is wrong.

    Options that are not in `only` have their defaults, whatever anybody says.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for option in OPTIONS:
        raw, source = _raw(option, config, environ) if option.name in only else (None, "default")
        values[option.name] = option.default if raw is None else _parsed(option, raw, source)
        if raw is not None:
            sources[option.name] = source
    values["contracts"] = values["contracts"] or bool(values["suite"])
    _apply_compose(values, sources)
    settings = Settings(**values, cache_dir=_cache_dir(environ), sources=sources)
    _check_together(settings)
    return settings


def _apply_compose(values: dict[str, Any], sources: dict[str, str]) -> None:
    """Let a compose file be the deployment when none is named, and be judged alone when there is to be none."""
    if values["compose"] is None or values["url"] is not None:
        return
    if "stack" not in sources and values["suite"] != (FILE_SUITE,):
        values["stack"], sources["stack"] = "compose", sources["compose"]
    elif values["stack"] == "none" and values["contracts"] and not values["suite"]:
        values["suite"] = (FILE_SUITE,)


def _raw(option: Option, config: Given, environ: Mapping[str, str]) -> tuple[Any, str]:
    given = config.getoption(f"letta_{option.name}", default=None)
    if given is not None:
        return given, option.flag
    for name in option.env:
        if environ.get(name):
            return environ[name], f"env {name}"
    written = config.getini(option.ini)
    return (written, f"ini {option.ini}") if written is not None else (None, "default")


def _parsed(option: Option, raw: Any, source: str) -> Any:
    if isinstance(raw, bool):
        return raw
    try:
        if option.repeatable:
            words = raw if isinstance(raw, list) else raw.replace(",", " ").split()
            return tuple(option.parse(word) for word in words)
        return option.parse(raw)
    except ValueError as error:
        # What stands before an @ may be a password.
        shown = "" if option.secret or "@" in str(raw) else f", got {raw!r}"
        raise SettingsError(f"{option.ini} {error}{shown} (from {source}).") from None


def _check_together(settings: Settings) -> None:
    if settings.url and settings.stack != "none":
        raise SettingsError(
            f"letta_url (from {settings.sources['url']}) and letta_stack={settings.stack} "
            f"(from {settings.sources['stack']}) exclude each other: test a deployment that exists, or start one."
        )
    if settings.stack == "compose" and not settings.compose:
        raise SettingsError("letta_stack=compose needs letta_compose: give --letta-compose FILE.")
    if settings.compose_service and not settings.compose:
        raise SettingsError("letta_compose_service needs letta_compose: it names services of that file.")
    if settings.contracts and not settings.url and settings.stack == "none" and settings.suite != (FILE_SUITE,):
        raise SettingsError(
            "contracts were asked for, but there is no deployment to test: "
            "give --letta-url URL, or --letta-stack local to start one."
        )
    if settings.proxy_url and not settings.url:
        raise SettingsError("letta_proxy_url needs letta_url: a proxy is compared with the server behind it.")


def _cache_dir(environ: Mapping[str, str]) -> Path:
    """Follow the XDG base directory specification."""
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "pytest-letta"
