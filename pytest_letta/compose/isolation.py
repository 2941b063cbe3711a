"""Turns a compose file into one that touches nothing of its owner's: names, ports, volumes, networks of its own."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_letta.compose.bindings import Binder
from pytest_letta.compose.file import DEFAULT_NETWORK
from pytest_letta.compose.obstacles import obstacles
from pytest_letta.errors import ComposeFileError

if TYPE_CHECKING:
    from pytest_letta.compose.file import ComposeFile

#: Keys that are left out, because they would name, start or restart something of the owner's, or tell of the copy to
#: who watches his containers: log collectors, and proxies and updaters that go by labels.
_DROPPED = (
    *("container_name", "restart", "profiles", "develop", "mac_address", "ports"),
    *("labels", "annotations", "logging", "cgroup_parent"),
)
#: The network by which ports are published of services whose own networks are all internal.
_ACCESS = "letta-copy-access"
_FIXED_ADDRESSES = ("ipv4_address", "ipv6_address", "link_local_ips", "mac_address")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the copy is to be like.

    `project` names it, `labels` are put on all that is made. `publish` is service -> port inside -> the ports on
    `publish_ip` of its replicas. `environment` is put over that of Letta; `networks` are joined by Letta beside its
    own and exist already. `without` names services that are left out.
    """

    project: str
    labels: Mapping[str, str]
    publish_ip: str
    publish: Mapping[str, Mapping[int, Sequence[int]]]
    environment: Mapping[str, str]
    networks: Sequence[str] = ()
    without: frozenset[str] = frozenset()


def isolate(file: ComposeFile, wishes: Wishes, binder: Binder) -> dict[str, Any]:
    """Return the model of a private copy of `file`, which compose reads as JSON.

    Bind mounts become copies that `binder` makes. Raises ComposeFileError, with the line, for what cannot be made
    private.
    """
    refuse(file, wishes.without)
    # Without extensions, which say nothing to compose.
    model: dict[str, Any] = copy.deepcopy({key: one for key, one in file.model.items() if not key.startswith("x-")})
    model["name"] = wishes.project
    for name in wishes.without:
        model["services"].pop(name, None)
    for name, body in model["services"].items():
        _make_private(name, body, wishes)
        _keep_names(body, file.services[name].get("container_name"))
        body["volumes"] = binder.bound(file, name, body.get("volumes") or ())
    _share_built_images(file, model["services"])
    _add_to_letta(model["services"][file.roles["letta"]], wishes)
    declared = model.get("networks") or {}
    own = {name: _own_network(body or {}, wishes) for name, body in {DEFAULT_NETWORK: None, **declared}.items()}
    if _open_internal(model["services"], own, wishes):
        own[_ACCESS] = _own_network({}, wishes)
    model["networks"] = own | {name: {"name": name, "external": True} for name in wishes.networks}
    volumes = {*(model.get("volumes") or {}), *binder.volumes}
    model["volumes"] = {name: {"labels": dict(wishes.labels)} for name in sorted(volumes)}
    return model


def refuse(file: ComposeFile, without: Collection[str] = ()) -> None:
    """Raise ComposeFileError for the first thing of `file` that cannot be made private, with its line.

    Services in `without` do not count.
    """
    for obstacle in obstacles(file, without):
        raise ComposeFileError(
            f"{obstacle}. Leave the service out with --letta-compose-service without=SERVICE, or test your own "
            "deployment with --letta-url."
        )


def replicas(body: Mapping[str, Any]) -> int:
    """Return how many containers a service has."""
    deploy = body.get("deploy") or {}
    return int(body.get("scale") or deploy.get("replicas") or 1)


def _make_private(name: str, body: dict[str, Any], wishes: Wishes) -> None:
    targets = {int(one["target"]) for one in body.get("ports") or () if one.get("protocol", "tcp") == "tcp"}
    for key in _DROPPED:
        body.pop(key, None)
    if body.get("network_mode") == "bridge":
        del body["network_mode"]  # the network that all containers of the machine share
    for key in ("restart_policy", "labels"):
        (body.get("deploy") or {}).pop(key, None)
    body["labels"] = dict(wishes.labels)
    body["depends_on"] = {
        other: how for other, how in (body.get("depends_on") or {}).items() if other not in wishes.without
    }
    if "build" in body:
        body["build"]["labels"] = dict(wishes.labels)
        for key in ("tags", "cache_to"):
            body["build"].pop(key, None)
        body["image"] = f"{wishes.project}-{name}"  # the owner's image of that name stays what it is
        body.pop("pull_policy", None)
    for settings in (body.get("networks") or {}).values():
        for key in _FIXED_ADDRESSES:
            (settings or {}).pop(key, None)
    if "network_mode" not in body:
        body["ports"] = list(_ports(targets, wishes.publish.get(name) or {}, wishes.publish_ip))


def _ports(targets: set[int], chosen: Mapping[int, Sequence[int]], ip: str) -> list[dict[str, Any]]:
    """Publish what was published, and what we must reach, on ports of the copy's own; the engine chooses the rest."""
    ports = []
    for target in sorted({*targets, *chosen}):
        port: dict[str, Any] = {"mode": "ingress", "host_ip": ip, "target": target, "protocol": "tcp"}
        if numbers := chosen.get(target):
            port["published"] = f"{numbers[0]}-{numbers[-1]}" if len(numbers) > 1 else str(numbers[0])
        ports.append(port)
    return ports


def _add_to_letta(body: dict[str, Any], wishes: Wishes) -> None:
    doubled = {name: value.replace("$", "$$") for name, value in wishes.environment.items()}
    body["environment"] = {**(body.get("environment") or {}), **doubled}
    if wishes.networks:
        own = body.get("networks") or {DEFAULT_NETWORK: None}
        body["networks"] = {**own, **dict.fromkeys(wishes.networks)}


def _own_network(body: Mapping[str, Any], wishes: Wishes) -> dict[str, Any]:
    kept = {"internal": True} if body.get("internal") else {}
    return {**kept, "labels": dict(wishes.labels)}


def _keep_names(body: dict[str, Any], container_name: str | None) -> None:
    """Let others find a service by the container name that it had; that name itself is the owner's."""
    if container_name is None or "network_mode" in body:
        return
    body["networks"] = {
        network: {**(settings or {}), "aliases": [*((settings or {}).get("aliases") or ()), container_name]}
        for network, settings in (body.get("networks") or {DEFAULT_NETWORK: None}).items()
    }


def _share_built_images(file: ComposeFile, services: dict[str, Any]) -> None:
    """Give a service that runs the image which another one builds the one that is built for the copy."""
    built = {
        str(file.services[name].get("image")): body["image"] for name, body in services.items() if "build" in body
    }
    for body in services.values():
        if "build" not in body and body.get("image") in built:
            body["image"] = built[body["image"]]
            body["pull_policy"] = "never"


def _open_internal(services: dict[str, Any], networks: Mapping[str, Any], wishes: Wishes) -> bool:
    """Put what must be reached on a further network, where it has only internal ones; tell whether any was."""
    opened = False
    for name in wishes.publish:
        joined = services[name].get("networks") or {DEFAULT_NETWORK: None}
        if all(networks.get(network, {}).get("internal") for network in joined):
            services[name]["networks"] = {**joined, _ACCESS: None}
            opened = True
    return opened
