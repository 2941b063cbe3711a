"""A compose file as compose itself understands it, with the lines on which its parts stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pytest_letta.compose.place import Finding, Place
from pytest_letta.compose.positions import Likeness, Positions

#: The network of a service that names none.
DEFAULT_NETWORK = "default"
_FOREIGN = frozenset({"host.docker.internal", "host.containers.internal", "gateway.docker.internal"})


@dataclass(frozen=True, slots=True)
class Port:
    """A published port: `target` inside the container, `published` on the host (0: any), on the address `host_ip`."""

    target: int
    published: int
    host_ip: str

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host_ip.startswith("127.") or self.host_ip in {"::1", "localhost"}


@dataclass(frozen=True, slots=True)
class Source:
    """One of the files that compose makes a project of."""

    path: Path
    positions: Positions


@dataclass(frozen=True)
class ComposeFile:
    """What the file `path` describes.

    `sources` are the file itself and those that it includes. `model` is what ``docker compose config --format json``
    printed: resolved, and with dollar signs doubled, so that compose can read it again. `roles` tells which service
    is letta, postgres, redis and nginx; a role that no service has is absent.
    """

    path: Path
    model: Mapping[str, Any]
    sources: tuple[Source, ...]
    roles: Mapping[str, str]

    @cached_property
    def services(self) -> dict[str, dict[str, Any]]:
        """The services by name, their values as the containers get them."""
        return {name: _without_nulls(_undoubled(body)) for name, body in (self.model.get("services") or {}).items()}

    @property
    def letta(self) -> dict[str, Any]:
        """The service that is Letta; every file that was read has one."""
        return self.services[self.roles["letta"]]

    def service_of(self, role: str) -> dict[str, Any] | None:
        """Return the service with that role, or ``None``."""
        name = self.roles.get(role)
        return self.services[name] if name is not None else None

    def environment(self, service: str) -> dict[str, str]:
        """Return the variables that a service gets, from whichever files."""
        return {name: str(value) for name, value in (self.services[service].get("environment") or {}).items()}

    def place(self, service: str, *keys: str | int | Likeness) -> Place:
        """Return where the deepest of `keys` stands in a service of the file."""
        source = self._source_of("services", service)
        return Place(source.path, source.positions.line("services", service, *keys))

    def place_of_part(self, kind: str, name: str) -> Place:
        """Return where a volume, network, secret or config is declared; `kind` is the plural."""
        source = self._source_of(kind, name)
        return Place(source.path, source.positions.line(kind, name))

    def place_of_variable(self, service: str, name: str) -> Place:
        """Return where a service is given a variable: here, or in one of its environment files."""
        if not self._source_of("services", service).positions.has("services", service, "environment", name):
            for file in self.environment_files(service):
                line = line_of_variable(file, name)
                if line is not None:
                    return Place(file, line)
        return self.place(service, "environment", name)

    def environment_files(self, service: str) -> list[Path]:
        """Return the environment files that this file names for a service, the one that wins first."""
        source = self._source_of("services", service)
        named = source.positions.value("services", service, "env_file")
        entries = named if isinstance(named, list) else [named] if named else []
        paths = [entry.get("path", "") if isinstance(entry, dict) else entry for entry in entries]
        return [source.path.parent / path for path in reversed(paths) if "$" not in path]

    def _source_of(self, kind: str, name: str) -> Source:
        """Return the file that says something of a service, volume, network, secret or config."""
        return next((one for one in self.sources if one.positions.has(kind, name)), self.sources[0])

    def finding(self, text: str, service: str, *keys: str | int | Likeness) -> Finding:
        """Return a finding at the deepest of `keys` in a service."""
        return Finding(self.place(service, *keys), text)

    def ports(self, service: str) -> list[Port]:
        """Return the TCP ports that a service publishes."""
        return [
            Port(int(one["target"]), _published(one.get("published")), str(one.get("host_ip") or ""))
            for one in self.services[service].get("ports") or ()
            if one.get("protocol", "tcp") == "tcp"
        ]

    def networks(self, service: str) -> dict[str, dict[str, Any]]:
        """Return the networks of a service by the name that this file gives them, with its settings there."""
        body = self.services[service]
        if "network_mode" in body:
            return {}
        return {name: settings or {} for name, settings in (body.get("networks") or {DEFAULT_NETWORK: {}}).items()}

    def joins_foreign_network(self, service: str) -> bool:
        """Tell whether containers that this file knows nothing of may be on a network of the service."""
        declared = self.model.get("networks") or {}
        return any((declared.get(name) or {}).get("external") for name in self.networks(service))

    def names(self, service: str) -> set[str]:
        """Return the names under which others on its networks reach a service."""
        body = self.services[service]
        own = {service, body.get("container_name") or service, body.get("hostname") or service}
        return own.union(*(settings.get("aliases") or () for settings in self.networks(service).values()))

    def service_called(self, host: str) -> str | None:
        """Return the service that is reached under the name `host` by who shares a network with it."""
        return next((name for name in self.services if host in self.names(name)), None)

    def share_a_network(self, one: str, other: str) -> bool:
        """Tell whether two services reach each other by name."""
        return not set(self.networks(one)).isdisjoint(self.networks(other))

    def may_know(self, service: str, host: str) -> bool:
        """Tell whether `host`, which is no service of this file, may mean something in a container of `service`.

        A name with a dot, an address, a name that the file adds, or that of a container on an external network.
        """
        body = self.services[service]
        added = " ".join(map(str, body.get("extra_hosts") or ())) + " ".join(map(str, body.get("links") or ()))
        outside = body.get("external_links") or self.joins_foreign_network(service) or "network_mode" in body
        return (
            bool(outside) or host in _FOREIGN or bool(re.search(r"[.:]", host)) or host in re.split(r"[ :=]", added)
        )

    def command_text(self, service: str) -> str:
        """Return what the file has a service run, on one line; empty where it leaves that to the image."""
        body = self.services[service]
        return " ".join(str(word) for key in ("entrypoint", "command") for word in _words(body.get(key)))

    def has_own_image(self, service: str) -> bool:
        """Tell whether the image is built here, so that nothing is known of what it holds."""
        return "build" in self.services[service]


def line_of_variable(file: Path, name: str) -> int | None:
    """Return the last line of an environment file that sets `name`; ``None`` when none does, or there is no file."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    setting = re.compile(rf"\s*(?:export\s+)?{re.escape(name)}\s*=")
    return next((number for number in range(len(lines), 0, -1) if setting.match(lines[number - 1])), None)


def image_of(body: Mapping[str, Any]) -> tuple[str, str]:
    """Return repository and tag of a service's image, without its digest; empty when it names none."""
    name = str(body.get("image") or "").partition("@")[0]
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        return name, ""
    return repository, tag


def _words(value: Any) -> Iterator[Any]:
    if isinstance(value, str):
        yield value
    elif value:
        yield from value


def _published(value: Any) -> int:
    text = str(value or "0").partition("-")[0]
    return int(text) if text.isdigit() else 0


def _undoubled(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, Mapping):
        return {key: _undoubled(one) for key, one in value.items()}
    return [_undoubled(one) for one in value] if isinstance(value, list) else value


def _without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    """Leave out what compose prints without a value: an entry point that is the image's, a variable not set here."""
    kept = {key: value for key, value in body.items() if value is not None}
    if "environment" in kept:
        kept["environment"] = {key: value for key, value in kept["environment"].items() if value is not None}
    return kept
