"""The proxy: nginx passes streams on at once and for long, leads redirects back to itself, and finds Letta again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_letta.compose.file import ComposeFile
from pytest_letta.compose.nginx_file import Directive, nginx_configuration
from pytest_letta.compose.nginx_routes import Route, byte_size, listens, route_of, routes, seconds
from pytest_letta.compose.place import Finding
from pytest_letta.compose.server import is_loopback, port_of

#: Paths on which Letta answers with a stream (0.16.8).
_STREAMS = (
    "/v1/agents/agent-0/messages",
    "/v1/agents/agent-0/messages/stream",
    "/v1/conversations/conv-0/messages",
    "/v1/runs/run-0/stream",
)
#: Paths to which documents, images and long memories are sent.
_WRITTEN = ("/v1/agents/agent-0/messages", "/v1/agents/agent-0/archival-memory", "/v1/folders/source-0/upload")
#: What nginx takes unless it is told otherwise.
_MIB = 1024 * 1024
_REDIRECTED = "/v1/agents"
_EVENT_STREAM = "text/event-stream"
_PING_S = 20.0
_DEFAULT_PORTS = {False: 80, True: 443}


def streams_are_not_held_back(file: ComposeFile) -> Iterator[Finding]:
    """Find a location that collects a stream, and hands it on when it is complete."""
    for route in _routes_to_letta(file, _STREAMS):
        buffering = route.effective("proxy_buffering")
        if buffering is None or buffering.args != ("off",):
            where = buffering or route.passing
            yield Finding(where.place, "streams are held back until they are complete: no `proxy_buffering off` here")
        zipped, kinds = route.effective("gzip"), route.effective("gzip_types")
        if zipped is not None and zipped.args == ("on",) and kinds and {_EVENT_STREAM, "*"} & set(kinds.args):
            yield Finding(kinds.place, f"gzip holds streams back until they are complete: leave {_EVENT_STREAM} out")


def silence_is_borne(file: ComposeFile) -> Iterator[Finding]:
    """Find a location that ends a stream which is silent for no longer than Letta's pings leave it."""
    told = file.environment(file.roles["letta"]).get("LETTA_KEEPALIVE_INTERVAL", "")
    ping_s = float(told) if re.fullmatch(r"\d+(\.\d+)?", told) else _PING_S
    for route in _routes_to_letta(file, _STREAMS):
        limit = route.effective("proxy_read_timeout")
        limit_s = seconds(limit) if limit is not None else 60.0
        if limit_s is not None and limit_s <= ping_s:
            yield Finding(
                (limit or route.passing).place,
                f"nginx ends a stream after {limit_s:.0f} s of silence, and Letta breaks its silence every "
                f"{ping_s:.0f} s: raise proxy_read_timeout",
            )


def redirects_lead_back(file: ComposeFile) -> Iterator[Finding]:
    """Find a location whose redirects, which Letta makes of the Host that it is told, lead elsewhere."""
    for route in _routes_to_letta(file, (_REDIRECTED,)):
        rewrites = route.effective_all("proxy_redirect")
        for one in rewrites:
            if one.args == ("http://", "https://") and not any(tls for _, tls in listens(route.server)):
                yield Finding(one.place, "redirects are sent to https://, which this server does not speak")
        if any("$http_host" in "".join(one.args) or "$server_port" in "".join(one.args) for one in rewrites):
            continue
        yield from _host_problem(file, route, rewrites)


def letta_is_found_again(file: ComposeFile) -> Iterator[Finding]:
    """Find a location that keeps the address which Letta's container had when nginx started."""
    nginx, letta = file.roles["nginx"], file.roles["letta"]
    follows = ((file.services[nginx].get("depends_on") or {}).get(letta) or {}).get("restart")
    is_fixed = any(settings.get("ipv4_address") for settings in file.networks(letta).values())
    if follows or is_fixed:
        return
    for route in _all_routes_to_letta(file):
        resolver = route.effective("resolver")
        if route.upstream is not None:
            kept = [one for _, _, one in route.targets() if "resolve" not in one.args or resolver is None]
        elif route.has_variable:
            if resolver is None:
                yield Finding(
                    route.passing.place, "a name in a variable needs a resolver: add `resolver 127.0.0.11;`"
                )
            continue
        else:
            kept = [route.passing]
        for one in kept:
            yield Finding(
                one.place,
                f"nginx looks {letta} up once, when it starts, and answers 502 when a new container has another "
                "address: use `resolver 127.0.0.11 valid=10s;` and a variable in proxy_pass, or depends_on with "
                "restart: true",
            )


def upstream_exists(file: ComposeFile) -> Iterator[Finding]:
    """Find a location that passes to a name or a port where nobody is."""
    nginx, letta = file.roles["nginx"], file.roles["letta"]
    http = nginx_configuration(file, nginx)
    for route in routes(http) if http is not None else ():
        for host, port, where in route.targets():
            if is_loopback(host) or host == "unix" or file.may_know(nginx, host):
                continue
            target = file.service_called(host)
            if target is None:
                yield Finding(where.place, f"nginx passes to {host!r}, but no service of this file has that name")
            elif not file.share_a_network(nginx, target):
                yield Finding(where.place, f"nginx passes to {host}, with which {nginx} shares no network")
            elif target == letta and (port or 80) != port_of(file):
                yield Finding(
                    where.place, f"nginx passes to port {port or 80} of {host}; Letta listens on {port_of(file)}"
                )


def users_are_told_apart(file: ComposeFile) -> Iterator[Finding]:
    """Find a location that drops the header by which clients say who they are."""
    for route in _routes_to_letta(file, (_REDIRECTED,)):
        kept = route.effective("underscores_in_headers")
        if (kept is None or kept.args != ("on",)) and route.header("user_id") is None:
            yield Finding(
                (kept or route.server).place,
                "nginx drops the header user_id, and Letta answers as its default user: set "
                "`underscores_in_headers on`",
            )


def documents_pass(file: ComposeFile) -> Iterator[Finding]:
    """Find a location that refuses bodies which are usual for documents and images, and which Letta takes."""
    for route in _routes_to_letta(file, _WRITTEN):
        limit = route.effective("client_max_body_size")
        size = byte_size(limit) if limit is not None else _MIB
        if size is not None and 0 < size <= _MIB:
            yield Finding(
                (limit or route.passing).place,
                f"nginx refuses a body of more than {size // 1024} KiB with 413: raise client_max_body_size",
            )


def _host_problem(file: ComposeFile, route: Route, rewrites: list[Directive]) -> Iterator[Finding]:
    told = route.header("Host")
    if told in {None, "$proxy_host"}:
        is_off = any(one.args == ("off",) for one in rewrites)
        if is_off or (route.has_variable and not rewrites):
            yield Finding(
                route.passing.place,
                "redirects name Letta's host inside of the network: set `proxy_set_header Host $http_host`",
            )
        return
    if told not in {"$host", "$server_name", "$host:$server_port"}:
        return
    published = {port.target: port.published or port.target for port in file.ports(file.roles["nginx"])}
    listened = listens(route.server)
    for port, tls in [one for one in listened if one[0] in published] or listened:
        seen = published.get(port, port)
        kept = port if told == "$host:$server_port" else _DEFAULT_PORTS[tls]
        if seen != kept:
            where = next(one for one in route.effective_all("proxy_set_header") if one.args[0].lower() == "host")
            yield Finding(
                where.place,
                f"redirects lose the port: clients reach this server on {seen}, and `Host {told}` sends them to "
                f"{kept}; use $http_host",
            )


def _routes_to_letta(file: ComposeFile, paths: tuple[str, ...]) -> list[Route]:
    """Return the locations that take one of `paths`, below whatever prefix, and pass it to Letta; each once."""
    to_letta = _all_routes_to_letta(file)
    found: list[Route] = []
    for server in dict.fromkeys(route.server for route in to_letta):
        http = next(route.chain[0] for route in to_letta if route.server is server)
        for prefix in _prefixes([route for route in to_letta if route.server is server]):
            for path in paths:
                route = route_of(http, server, prefix + path)
                if route is not None and route in to_letta and route not in found:
                    found.append(route)
    return found


def _prefixes(to_letta: list[Route]) -> list[str]:
    """Return the paths below which a server offers Letta: none, and those that ``proxy_pass`` cuts off."""
    cut = [
        route.chain[-1].args[-1].rstrip("/")
        for route in to_letta
        if re.fullmatch(r"https?://[^/]+/", route.passing.args[0]) and len(route.chain[-1].args) == 1
    ]
    return list(dict.fromkeys(["", *cut]))


def _all_routes_to_letta(file: ComposeFile) -> list[Route]:
    http = nginx_configuration(file, file.roles["nginx"])
    names = file.names(file.roles["letta"])
    found = routes(http) if http is not None else []
    return [route for route in found if any(host in names for host, _, _ in route.targets())]
