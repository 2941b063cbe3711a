"""Wiring: Letta uses the Redis that stands beside it, and no container looks for another inside itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from pytest_letta.compose.file import ComposeFile
from pytest_letta.compose.place import Finding
from pytest_letta.compose.server import REDIS_HOST, REDIS_PORT, is_loopback

#: Variables by which Letta is told where something else runs; their values are a host, or a URL.
_OF_LETTA = re.compile(
    r"LETTA_PG_URI|LETTA_PG_HOST|LETTA_REDIS_HOST|(OPENAI|OLLAMA|VLLM|LMSTUDIO|SGLANG|AZURE|GEMINI)_(BASE_URL|API_BASE)"
)
#: Variables by which an application is told where Letta is. A browser, which some of them are for, is on the host.
_OF_OTHERS = re.compile(r"LETTA_(\w+_)?(URL|URI|HOST|ENDPOINT|BASE|ADDRESS)")


def redis_is_used(file: ComposeFile) -> Iterator[Finding]:
    """Find a Redis of the file that Letta is not told of by the variables that it reads."""
    letta, redis = file.roles["letta"], file.roles["redis"]
    variables = file.environment(letta)
    host = variables.get(REDIS_HOST, "")
    if not host:
        near = next((name for name in ("LETTA_REDIS_URL", "REDIS_URL", "REDIS_HOST") if name in variables), None)
        said = f"; {near} is not read" if near else ""
        place = file.place_of_variable(letta, near) if near else file.place(letta, "environment")
        yield Finding(place, f"{letta} does not use {redis}: {REDIS_HOST} is not set{said}")
        return
    place = file.place_of_variable(letta, REDIS_HOST)
    target = file.service_called(host)
    if target is None:
        if not is_loopback(host) and not file.may_know(letta, host):
            yield Finding(place, f"{REDIS_HOST} is {host!r}, but no service of this file is reached under that name")
    elif not file.share_a_network(letta, target):
        yield Finding(place, f"{REDIS_HOST} names {host}, which shares no network with {letta}")
    elif target == redis and variables.get("LETTA_REDIS_PORT", str(REDIS_PORT)) != (port := _port_of(file, redis)):
        yield Finding(
            file.place_of_variable(letta, "LETTA_REDIS_PORT"),
            f"LETTA_REDIS_PORT is {variables.get('LETTA_REDIS_PORT', REDIS_PORT)}; inside of the network {redis} "
            f"listens on {port}",
        )


def nobody_looks_inside(file: ComposeFile) -> Iterator[Finding]:
    """Find an address that means the container itself where it should mean another."""
    for name, body in file.services.items():
        if "network_mode" in body:
            continue  # it shares its addresses with somebody else
        wanted = _OF_LETTA if name == file.roles["letta"] else _OF_OTHERS
        for variable, value in file.environment(name).items():
            host = _host_of(value)
            if wanted.fullmatch(variable) and is_loopback(host):
                yield Finding(
                    file.place_of_variable(name, variable),
                    f"{variable} names {host}, which inside of the container of {name} is that container itself: "
                    "name the other service, or host.docker.internal for what runs on the host",
                )


def _host_of(value: str) -> str:
    try:
        host = urlsplit(value if "//" in value else f"//{value}").hostname
    except ValueError:
        return ""
    return host or ""


def _port_of(file: ComposeFile, name: str) -> str:
    said = re.search(r"--port\s+(\d+)", file.command_text(name))
    return said[1] if said else str(REDIS_PORT)
