"""What of a compose file cannot be made private to a run, with the line and the reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pytest_letta.compose.entries import mounting
from pytest_letta.compose.place import Finding

if TYPE_CHECKING:
    from pytest_letta.compose.file import ComposeFile

_MACHINE = "it is this machine's own"
_YOURS = "it leads to containers of yours"
#: Rights over the machine, by which a container could change what is not of the run.
_POWERFUL = frozenset({"ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO", "SYS_BOOT", "SYS_TIME", "DAC_READ_SEARCH"})
_KERNEL = ("/proc", "/sys", "/dev", "/boot")


def _is_host(value: Any) -> bool:
    return str(value) == "host"


def _is_foreign(value: Any) -> bool:
    return _is_host(value) or str(value).startswith("container:")


def _names_foreign(values: Any) -> bool:
    return any(str(value).startswith("container:") for value in values)


def _is_powerful(rights: Any) -> bool:
    return not _POWERFUL.isdisjoint(str(right).upper().removeprefix("CAP_") for right in rights)


#: Key of a service, test of its value, and why the value cannot be made private.
_RULES: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("network_mode", _is_host, "its ports would be those of this machine"),
    ("network_mode", _is_foreign, _YOURS),
    ("pid", _is_foreign, "it sees processes that are not of the copy"),
    ("ipc", _is_foreign, "it shares memory outside of the copy"),
    ("uts", _is_host, _MACHINE),
    ("userns_mode", _is_host, _MACHINE),
    ("cgroup", _is_host, _MACHINE),
    ("privileged", bool, "it may change whatever is on this machine"),
    ("cap_add", _is_powerful, "it may change what is on this machine"),
    ("devices", bool, "they are this machine's own"),
    ("external_links", bool, _YOURS),
    ("volumes_from", _names_foreign, _YOURS),
    ("credential_spec", bool, _MACHINE),
    ("use_api_socket", bool, "it commands the engine, and all containers of yours with it"),
    ("provider", bool, "compose leaves it to a program that knows of no copies"),
)


def obstacles(file: ComposeFile, without: Collection[str] = ()) -> Iterator[Finding]:
    """Find what cannot be made private in the services of `file`, those in `without` aside."""
    for name, body in file.services.items():
        if name in without:
            continue
        found = False
        for key, is_outside, why in _RULES:
            if key in body and is_outside(body[key]) and not found:
                found = True
                yield file.finding(f"{key} of {name} cannot be made private: {why}", name, key)
        yield from _mounts(file, name)
        yield from _needs(file, name, without)
        yield from _fixed_addresses(file, name, without)
    yield from _from_elsewhere(file)


def _mounts(file: ComposeFile, name: str) -> Iterator[Finding]:
    for mount in file.services[name].get("volumes") or ():
        source = PurePosixPath(mount.get("source") or "")
        is_kernels = mount["type"] == "bind" and (source == PurePosixPath("/") or str(source).startswith(_KERNEL))
        if is_kernels or mount["type"] in {"npipe", "cluster"}:
            yield file.finding(
                f"{name} mounts {source}, of which there can be no copy", name, "volumes", mounting(mount["target"])
            )


def _needs(file: ComposeFile, name: str, without: Collection[str]) -> Iterator[Finding]:
    """Find what a service shares with one that is left out; merely waiting for it is given up."""
    body = file.services[name]
    shared = [str(body.get(key, "")) for key in ("network_mode", "pid", "ipc")]
    needed = {
        "network_mode": [one.removeprefix("service:") for one in shared if one.startswith("service:")],
        "volumes_from": [str(one).partition(":")[0] for one in body.get("volumes_from") or ()],
        "links": [str(one).partition(":")[0] for one in body.get("links") or ()],
    }
    for key, services in needed.items():
        for service in services:
            if service in without:
                yield file.finding(f"{key} of {name} needs {service}, which is left out", name, key)
    if name in file.roles.values() and shared[0].startswith("service:"):
        yield file.finding(
            f"network_mode of {name} puts it behind the ports of another service, where the run cannot reach it",
            name,
            "network_mode",
        )


def _fixed_addresses(file: ComposeFile, name: str, without: Collection[str]) -> Iterator[Finding]:
    """Find an address on a network of the file that another service is told: in the copy it is another one."""
    for network, settings in file.networks(name).items():
        address = settings.get("ipv4_address") or settings.get("ipv6_address")
        if address is None:
            continue
        for other in file.services:
            told = " ".join([file.command_text(other), *file.environment(other).values()])
            if other not in without and re.search(rf"(?<![\d.:]){re.escape(str(address))}(?![\d.])", told):
                yield file.finding(
                    f"{other} is told the address {address} of {name}, which a copy cannot have: use the name {name}",
                    name,
                    "networks",
                    network,
                )


def _from_elsewhere(file: ComposeFile) -> Iterator[Finding]:
    for kind in ("secrets", "configs"):
        for name, body in (file.model.get(kind) or {}).items():
            if (body or {}).get("external"):
                place = file.place_of_part(kind, name)
                yield Finding(place, f"{kind} {name} is external: only a swarm could provide it")
