"""Exposure: the password is on, is none that everybody knows, and what needs none is not open to the world."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_letta.compose.entries import publishing
from pytest_letta.compose.file import ComposeFile, Port
from pytest_letta.compose.place import Finding
from pytest_letta.compose.server import is_bare_server, is_secured, port_of

#: In the place of an address: all of the host.
_ANY = frozenset({"", "0.0.0.0", "::", "*"})
_PASSWORD = "LETTA_SERVER_PASSWORD"
_POSTGRES = "POSTGRES_PASSWORD"
_EVERYBODY_KNOWS = frozenset(
    """
    admin changeit changeme change-me change_me default letta letta_password letta-password pass passw0rd password
    postgres postgresql root secret test your_password your-password yourpassword 123456
    """.split()  # noqa: SIM905
)


def password_is_asked_for(file: ComposeFile) -> Iterator[Finding]:
    """Find a password of the server that nothing switches on."""
    letta = file.roles["letta"]
    variables = file.environment(letta)
    if not variables.get(_PASSWORD) or is_secured(file):
        return
    near = next((name for name in ("SECURE", "LETTA_SERVER_SECURE") if variables.get(name)), None)
    if near is None:
        said = "SECURE=true or LETTA_SERVER_SECURE=true is not set"
    elif near == "SECURE" and is_bare_server(file):
        said = (
            "SECURE is read by the image's start script alone, which does not run here: LETTA_SERVER_SECURE=true is"
        )
    else:
        said = f"{near} is {variables[near]!r}, which is not exactly 'true'"
    yield Finding(file.place_of_variable(letta, _PASSWORD), f"{_PASSWORD} does nothing, the server is open: {said}")


def passwords_are_own(file: ComposeFile) -> Iterator[Finding]:
    """Find a password that everybody tries first; says which variable, never which password."""
    checked = [(file.roles["letta"], _PASSWORD)]
    if "postgres" in file.roles:
        checked.append((file.roles["postgres"], _POSTGRES))
        if file.environment(file.roles["postgres"]).get("POSTGRES_HOST_AUTH_METHOD") == "trust":
            place = file.place_of_variable(file.roles["postgres"], "POSTGRES_HOST_AUTH_METHOD")
            yield Finding(place, "POSTGRES_HOST_AUTH_METHOD=trust lets everybody in without a password")
    for service, variable in checked:
        value = file.environment(service).get(variable)
        if value is not None and value.lower() in _EVERYBODY_KNOWS:
            yield Finding(
                file.place_of_variable(service, variable),
                f"{variable} of {service} is a password that everybody knows",
            )


def open_server_is_not_published(file: ComposeFile) -> Iterator[Finding]:
    """Find a server without a password that other machines reach: whoever does may run code on it."""
    if is_secured(file):
        return
    letta = file.roles["letta"]
    for port in _published_to_all(file, letta):
        if port.target == port_of(file):
            yield file.finding(
                f"the server asks for no password, and its port {port.target} is published on all addresses of the "
                "host: publish it on 127.0.0.1, or set SECURE=true and LETTA_SERVER_PASSWORD",
                letta,
                "ports",
                publishing(port.target),
            )


def data_stores_are_not_published(file: ComposeFile) -> Iterator[Finding]:
    """Find a database or a Redis that other machines reach."""
    for role in ("postgres", "redis"):
        name = file.roles.get(role)
        for port in _published_to_all(file, name) if name is not None else ():
            yield file.finding(
                f"port {port.target} of {name} ({role}) is published on all addresses of the host, past its "
                "firewall: publish it on 127.0.0.1 or not at all",
                str(name),
                "ports",
                publishing(port.target),
            )


def ports_are_free_for_each(file: ComposeFile) -> Iterator[Finding]:
    """Find a port of the host that two containers of the file want: only the first to start gets it."""
    taken: list[tuple[str, str, set[int]]] = []
    for name, body in file.services.items():
        for entry in body.get("ports") or ():
            numbers = _numbers(entry.get("published"))
            address, target = str(entry.get("host_ip") or ""), int(entry["target"])
            others = [
                other
                for other, there, theirs in taken
                if numbers & theirs and (address == there or not _ANY.isdisjoint({address, there}))
            ]
            if others:
                text = f"port {min(numbers)} of the host is published by {others[0]} and by {name}"
                yield file.finding(text, name, "ports", publishing(target))
            taken.append((name, address, numbers))


def _numbers(published: object) -> set[int]:
    """Return the ports of the host that are wanted; none where the engine may choose."""
    first, _, last = str(published or "").partition("-")
    return set(range(int(first), int(last or first) + 1)) if first.isdigit() and int(first) else set()


def _published_to_all(file: ComposeFile, name: str) -> list[Port]:
    return [port for port in file.ports(name) if port.host_ip in _ANY]
