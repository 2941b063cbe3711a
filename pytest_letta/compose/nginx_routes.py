"""Follows requests through an nginx configuration: which location takes a path, and how it passes it to whom."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_letta.compose.nginx_file import Directive


@dataclass(frozen=True, slots=True)
class Route:
    """A location that passes requests on. `chain` leads to it: http, server, locations; the last is itself."""

    chain: tuple[Directive, ...]
    passing: Directive  #: its ``proxy_pass``

    @property
    def server(self) -> Directive:
        return self.chain[1]

    def effective(self, name: str) -> Directive | None:
        """Return the directive that counts here: the innermost of that name."""
        return next((one for block in reversed(self.chain) for one in reversed(list(block.find(name)))), None)

    def effective_all(self, name: str) -> list[Directive]:
        """Return those that count of a directive that is given many times: all of the innermost block with one."""
        return next((found for block in reversed(self.chain) if (found := list(block.find(name)))), [])

    def header(self, name: str) -> str | None:
        """Return what the request header `name` is set to, or ``None`` when it is left to nginx."""
        for one in self.effective_all("proxy_set_header"):
            if len(one.args) == 2 and one.args[0].lower() == name.lower():
                return one.args[1]
        return None

    @property
    def has_variable(self) -> bool:
        """Whether nginx finds out only with each request where to pass it."""
        return "$" in self.passing.args[0]

    def targets(self) -> list[tuple[str, int | None, Directive]]:
        """Return host, port and directive of each server to which it passes; nothing where a variable hides it."""
        host, port = _host_and_port(self._spelled(self.passing.args[0]))
        for upstream in self.chain[0].find("upstream"):
            if upstream.args == (host,):
                return [(*_split(one.args[0]), one) for one in upstream.find("server") if one.args]
        return [(host, port, self.passing)] if host else []

    @property
    def upstream(self) -> Directive | None:
        """The ``upstream`` group that it names, if it names one."""
        host, _ = _host_and_port(self._spelled(self.passing.args[0]))
        return next((one for one in self.chain[0].find("upstream") if one.args == (host,)), None)

    def _spelled(self, url: str) -> str:
        """Fill in what ``set`` gave the variables of the host."""
        values = {one.args[0]: one.args[1] for block in self.chain for one in block.find("set") if len(one.args) == 2}
        for _ in range(len(values)):
            url = re.sub(r"\$\{?(\w+)\}?", lambda match: values.get(f"${match[1]}", match[0]), url)
        return url


def routes(http: Directive) -> list[Route]:
    """Return every location that passes requests on."""
    return [route for server in http.find("server") for route in _within((http, server))]


def route_of(http: Directive, server: Directive, path: str) -> Route | None:
    """Return the route that takes `path` in that server; ``None`` when it is passed on to nobody.

    As nginx chooses: the exact location, else the longest prefix, which a matching expression beats.
    """
    chain, _ = _location((http, server), path)
    return _route(chain) if len(chain) > 2 else None


def seconds(directive: Directive) -> float | None:
    """Return a time such as ``60``, ``75s`` or ``1m 30s`` in seconds; ``None`` when it is none."""
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "": 1}
    text = "".join(directive.args)
    if not re.fullmatch(r"(\d+(ms|s|m|h|d)?)+", text):
        return None
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)(ms|s|m|h|d)?", text))


def byte_size(directive: Directive) -> int | None:
    """Return a size such as ``512k`` or ``10m`` in bytes, 0 for no limit; ``None`` when it is none."""
    match = re.fullmatch(r"(\d+)([kKmMgG]?)", "".join(directive.args))
    return int(match[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[match[2].lower()] if match else None


def _within(chain: tuple[Directive, ...]) -> Iterator[Route]:
    for location in chain[-1].find("location"):
        route = _route((*chain, location))
        if route is not None:
            yield route
        yield from _within((*chain, location))


def _route(chain: tuple[Directive, ...]) -> Route | None:
    passing = next(chain[-1].find("proxy_pass"), None)
    return Route(chain, passing) if passing is not None and passing.args else None


def _location(chain: tuple[Directive, ...], path: str) -> tuple[tuple[Directive, ...], bool]:
    """Return the chain to the location in the last of `chain` that takes `path`, and whether nothing beats it.

    A prefix, however deep, is beaten by an expression further out; an exact location and an expression are not.
    """
    locations = [one for one in chain[-1].find("location") if one.args and not one.args[-1].startswith("@")]
    for one in locations:
        if one.args == ("=", path):
            return (*chain, one), True
    prefixes = [one for one in locations if _modifier(one) in {"", "^~"} and path.startswith(one.args[-1])]
    longest = max(prefixes, key=lambda one: len(one.args[-1]), default=None)
    found = chain
    if longest is not None:
        found, is_final = _location((*chain, longest), path)
        if is_final or _modifier(longest) == "^~":
            return found, True
    for one in locations:
        if _modifier(one) in {"~", "~*"} and _matches(one, path):
            return _location((*chain, one), path)[0], True
    return found, False


def _modifier(location: Directive) -> str:
    return location.args[0] if len(location.args) > 1 else ""


def _matches(location: Directive, path: str) -> bool:
    try:
        return re.search(location.args[1], path, re.IGNORECASE if location.args[0] == "~*" else 0) is not None
    except re.error:
        return False


def _host_and_port(url: str) -> tuple[str, int | None]:
    match = re.match(r"https?://([^/$:]+)(?::(\d+))?", url)
    return (match[1], int(match[2]) if match[2] else None) if match else ("", None)


def _split(server: str) -> tuple[str, int | None]:
    host, _, port = server.partition(":")
    return host, int(port) if port.isdigit() else None


def listens(server: Directive) -> Sequence[tuple[int, bool]]:
    """Return the ports on which a server listens, and whether it speaks TLS there."""
    found = []
    for one in server.find("listen"):
        port = re.search(r"(?:^|:)(\d+)$", one.args[0]) if one.args else None
        if port is not None:
            found.append((int(port[1]), "ssl" in one.args))
    return found or [(80, False)]
