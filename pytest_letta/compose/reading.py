"""Reads a compose file: what it says through compose itself, where it says so through a parse of our own."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from pytest_letta.compose.file import ComposeFile, Source
from pytest_letta.compose.positions import Positions
from pytest_letta.compose.roles import recognise
from pytest_letta.errors import ComposeFileError, SettingsError

_LIMIT_S = 60.0
_INSTALL = (
    "compose files are read and started by the plugin `docker compose` (2.x), which is not installed: "
    "apt-get install docker-compose-plugin (Docker's packages), docker-compose (Debian 13) or "
    "docker-compose-v2 (Ubuntu)."
)


def read(path: Path, named: Sequence[str] = ()) -> ComposeFile:
    """Read the file `path`, with `named` as ``ROLE=SERVICE`` for services that are not recognised.

    Environment files, interpolation, profiles (``COMPOSE_PROFILES``), ``include`` and ``extends`` are resolved by
    compose. Raises ComposeFileError, with the line where it can be told, and SettingsError without compose.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ComposeFileError(f"the compose file {path} cannot be read: {error}") from None
    model = _resolved(path, text)
    sources = tuple(_sources(path.resolve()))
    unnamed = ComposeFile(path.resolve(), model, sources, {})
    return replace(unnamed, roles=recognise(unnamed, named))


def compose(*words: str) -> list[str]:
    """Return a command line of compose."""
    return ["docker", "compose", "--ansi", "never", *words]


def _sources(path: Path) -> Iterator[Source]:
    """Give the file, and those that it includes; one that cannot be read here has compose's word for its contents."""
    waiting, seen = [path], set()
    while waiting:
        one = waiting.pop(0)
        if one in seen:
            continue
        seen.add(one)
        try:
            source = Source(one, Positions(one.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            if one == path:
                raise ComposeFileError(f"{path}: {' '.join(str(error).split())}") from None
            continue
        yield source
        waiting += [(one.parent / name).resolve() for name in _included(source) if "$" not in name]


def _included(source: Source) -> Iterator[str]:
    for entry in source.positions.value("include") or ():
        paths = entry.get("path", []) if isinstance(entry, dict) else entry
        yield from [paths] if isinstance(paths, str) else paths


def _resolved(path: Path, text: str) -> dict[str, Any]:
    command = compose("-f", str(path), "config", "--format", "json")
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_LIMIT_S, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise SettingsError(_INSTALL) from None
    except subprocess.TimeoutExpired:
        raise ComposeFileError(f"`{' '.join(command)}` did not end within {_LIMIT_S:.0f} s.") from None
    if done.returncode != 0:
        if not has_compose():
            raise SettingsError(_INSTALL)
        raise ComposeFileError(_refusal(path, text, done.stderr))
    model: Mapping[str, Any] = json.loads(done.stdout)
    if not model.get("services"):
        raise ComposeFileError(
            f"{path} has no service that is active; services with profiles need COMPOSE_PROFILES=NAME,..."
        )
    return dict(model)


def has_compose() -> bool:
    """Tell whether the plugin `docker compose` is installed; no engine is asked."""
    try:
        return subprocess.run(compose("version"), capture_output=True, timeout=_LIMIT_S, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _refusal(path: Path, text: str, said: str) -> str:
    """Say what compose refuses, with the line that it names or that the part which it names stands on."""
    lines = [line for line in said.splitlines() if line.strip() and "level=warning" not in line]
    reason = " ".join(" ".join(lines).split()).removeprefix(f"validating {path}: ") or "no reason was told"
    line = re.search(r"\bline (\d+)", reason)
    number = int(line[1]) if line else _line_of_part(text, reason)
    return f"{path}{f':{number}' if number else ''}: compose refuses the file: {reason}"


def _line_of_part(text: str, reason: str) -> int | None:
    dotted = re.search(r"\b((?:services|volumes|networks|secrets|configs)(?:\.[\w-]+)+)", reason)
    service = re.search(r"service \"([^\"]+)\"", reason)
    keys = dotted[1].split(".") if dotted else ["services", service[1]] if service else []
    try:
        positions = Positions(text)
    except yaml.YAMLError:
        return None
    further = re.search(r"Additional property (\S+) is not allowed", reason)
    undefined = re.search(r"undefined (?:service|volume|network|secret|config) \"?([\w-]+)", reason)
    for word in (further, undefined):
        if word is not None:
            keys = [*keys, *(["depends_on"] if "depends on" in reason else []), word[1]]
    return positions.line(*keys) if keys else None
