"""At which ports inside of their containers the services of a compose file are reached."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from pytest_letta.compose.nginx_file import NginxSyntaxError, nginx_configuration
from pytest_letta.compose.nginx_routes import listens
from pytest_letta.compose.server import POSTGRES_PORT, port_of

if TYPE_CHECKING:
    from pytest_letta.compose.file import ComposeFile

#: What proxies before Letta listen on, the likeliest first.
_PROXY_PORTS = (8284, 80, 8080, 8283)
_HTTPS = 443


def inner_ports(file: ComposeFile, roles: Collection[str]) -> dict[str, int]:
    """Return role -> port inside, for those of `roles` that a run speaks to.

    These are letta, postgres, and an nginx that listens without TLS.
    """
    found = {"letta": port_of(file)}
    if "postgres" in roles:
        found["postgres"] = postgres_port(file)
    if "nginx" in roles and (port := _plain_port(file)) is not None:
        found["nginx"] = port
    return found


def postgres_port(file: ComposeFile) -> int:
    """Return the port on which the file's Postgres listens inside of the network."""
    name = file.roles["postgres"]
    said = re.search(r"(?:(?:^|\s)-p\s*|\bport\s*=\s*)(\d+)", file.command_text(name))
    variable = file.environment(name).get("PGPORT", "")
    return int(said[1]) if said else int(variable) if variable.isdigit() else POSTGRES_PORT


def _plain_port(file: ComposeFile) -> int | None:
    """Return the port of the proxy that speaks HTTP without TLS; ``None`` when it has none."""
    published = [port.target for port in file.ports(file.roles["nginx"])]
    listened = _listened(file)
    plain = [port for port, tls in listened.items() if not tls] if listened else [*published, _PROXY_PORTS[1]]
    open_to_all = [port for port in plain if port in published] or [port for port in plain if port != _HTTPS]
    return min(open_to_all, key=_rank, default=None)


def _listened(file: ComposeFile) -> dict[int, bool]:
    """Return the ports that the proxy's configuration names, and whether they speak TLS; empty when none is known."""
    try:
        http = nginx_configuration(file, file.roles["nginx"])
    except NginxSyntaxError:
        return {}
    return dict(pair for server in http.find("server") for pair in listens(server)) if http is not None else {}


def _rank(port: int) -> int:
    return _PROXY_PORTS.index(port) if port in _PROXY_PORTS else len(_PROXY_PORTS)
