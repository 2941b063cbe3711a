"""Recognises which service of a compose file is Letta, its database, its Redis and its proxy."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_letta.compose.file import image_of
from pytest_letta.compose.mounted import mounted_texts
from pytest_letta.errors import ComposeFileError
from pytest_letta.parsing import COMPOSE_ROLES, WITHOUT, did_you_mean

if TYPE_CHECKING:
    from pytest_letta.compose.file import ComposeFile

_OPTION = "--letta-compose-service"

#: Last part of the image's repository, for each role.
_IMAGES = {
    "letta": re.compile(r"letta(-server)?"),
    "postgres": re.compile(r"postgres(ql)?|pgvector|timescaledb(-ha)?|postgis|paradedb"),
    "redis": re.compile(r"redis(-stack(-server)?)?|valkey|keydb|dragonfly"),
    "nginx": re.compile(r"nginx.*|openresty|caddy|haproxy|traefik|envoy"),
}
_PORTS = {"letta": 8283, "postgres": 5432, "redis": 6379}
_COMMANDS = {"letta": "letta server", "postgres": "postgres ", "redis": "redis-server"}
_BY_IMAGE, _BY_COMMAND, _BY_VARIABLE, _BY_PORT, _BY_LETTA = 4, 3, 2, 1, 10

#: What a service must show to have a role: more than one port or one variable, which an application has too.
_ENOUGH = 3


def recognise(file: ComposeFile, named: Sequence[str] = ()) -> dict[str, str]:
    """Return role -> service of a file whose roles are not known yet.

    `named` are words ``ROLE=SERVICE``, which win; ``ROLE=`` says that no service has it. Raises ComposeFileError
    when a word names what is not there, when two services fit a role alike, and when none is Letta.
    """
    given = _given(file, named)
    open_to = [name for name in file.services if name not in given.values() and name not in left_out(named)]
    roles = {role: service for role, service in given.items() if service}
    for role in COMPOSE_ROLES:  # Letta first: its environment tells of the others
        if role not in given:
            scores = {name: _score(file, role, name, roles.get("letta")) for name in open_to}
            service = _best(file, role, scores)
            if service is not None:
                roles[role] = service
                open_to.remove(service)
    if "letta" not in roles:
        raise ComposeFileError(
            f"no service of {file.path} is recognised as Letta (there are {', '.join(file.services)}): "
            f"name it with {_OPTION} letta=SERVICE."
        )
    return roles


def left_out(named: Sequence[str]) -> set[str]:
    """Return the services that are not to be started, out of the words ``without=SERVICE``."""
    return {word.partition("=")[2] for word in named if word.startswith(f"{WITHOUT}=")}


def _given(file: ComposeFile, named: Sequence[str]) -> dict[str, str]:
    given = {}
    for word in named:
        role, _, service = word.partition("=")
        if service and service not in file.services:
            there = list(file.services)
            raise ComposeFileError(
                f"letta_compose_service names {service!r}, but {file.path} has only {', '.join(there)}"
                f"{did_you_mean(service, there)}."
            )
        if role != WITHOUT:
            given[role] = service
    return given


def _best(file: ComposeFile, role: str, scores: Mapping[str, int]) -> str | None:
    highest = max(scores.values(), default=0)
    best = [name for name, score in scores.items() if score == highest]
    if highest < _ENOUGH:
        return None
    if len(best) > 1:
        lines = ", ".join(f"{name} ({file.place(name)})" for name in best)
        raise ComposeFileError(f"{lines} can all be {role}: say which with {_OPTION} {role}={best[0]}.")
    return best[0]


def _score(file: ComposeFile, role: str, name: str, letta: str | None) -> int:
    body = file.services[name]
    repository, _ = image_of(body)
    score = _BY_IMAGE if _IMAGES[role].fullmatch(repository.rpartition("/")[2]) else 0
    if _COMMANDS.get(role, "\n") in file.command_text(name) + " ":
        score += _BY_COMMAND
    if role in _PORTS and _PORTS[role] in _inner_ports(file, name):
        score += _BY_PORT
    if role == "letta":
        return score + (_BY_COMMAND if "LETTA_PG_URI" in file.environment(name) else 0)
    if role == "nginx":
        return score + _leading(file, name, letta) if score and letta is not None else 0
    variables = file.environment(letta) if letta is not None else {}
    named = variables.get("LETTA_PG_URI", "") if role == "postgres" else variables.get("LETTA_REDIS_HOST", "")
    if score and set(re.split(r"[@:/]", named)) & file.names(name):
        score += _BY_LETTA
    if role == "postgres" and {"POSTGRES_DB", "POSTGRES_PASSWORD"} & set(file.environment(name)):
        score += _BY_VARIABLE
    return score


def _inner_ports(file: ComposeFile, name: str) -> set[int]:
    exposed = (str(port).partition("/")[0] for port in file.services[name].get("expose") or ())
    return {port.target for port in file.ports(name)} | {int(port) for port in exposed if port.isdigit()}


def _leading(file: ComposeFile, name: str, letta: str) -> int:
    """Return how much speaks for a proxy that leads to Letta; many an application has an nginx of its own."""
    names = "|".join(re.escape(one) for one in sorted(file.names(letta)))
    texts = [*mounted_texts(file, name), *file.environment(name).values()]
    is_named = any(re.search(rf"\b({names})\b", text) for text in texts)
    waits = letta in (file.services[name].get("depends_on") or {})
    if not is_named and not (waits and file.ports(name)):
        return -_BY_IMAGE
    return (_BY_LETTA if is_named else 0) + (_BY_PORT if file.ports(name) else 0)
