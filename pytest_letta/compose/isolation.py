"""Turns a compose file into one that touches nothing of its owner's: names, ports, volumes, networks of its own."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_letta.compose.bindings import Binder
from pytest_letta.compose.file import DEFAULT_NETWORK
from pytest_letta.errors import ComposeFileError

if TYPE_CHECKING:
    from pytest_letta.compose.file import ComposeFile

#: Keys of a service that would reach out of the copy: key -> test of its value, and why.
_OUTSIDE: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("network_mode", lambda mode: str(mode) == "host", "its ports would be those of this machine"),
    ("network_mode", lambda mode: str(mode).startswith("container:"), "it names a container of yours"),
    ("pid", lambda mode: str(mode).startswith(("host", "container:")), "it sees processes that are not of the copy"),
    ("ipc", lambda mode: str(mode).startswith(("host", "container:")), "it shares memory outside the copy"),
    ("external_links", bool, "they lead to containers of yours"),
    ("volumes_from", lambda names: any(str(n).startswith("container:") for n in names), "it names one of yours"),
)
#: Keys that are left out, because they would name, start or restart something of the owner's.
_DROPPED = ("container_name", "restart", "profiles", "develop", "mac_address", "ports")
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
    refuse(file)
    model: dict[str, Any] = copy.deepcopy(dict(file.model))
    model["name"] = wishes.project
    for name in wishes.without:
        model["services"].pop(name, None)
    for name, body in model["services"].items():
        _make_private(name, body, wishes)
        body["volumes"] = binder.bound(file, name, body.get("volumes") or ())
    _add_to_letta(model["services"][file.roles["letta"]], wishes)
    declared = model.get("networks") or {}
    own = {name: _own_network(body or {}, wishes) for name, body in {DEFAULT_NETWORK: None, **declared}.items()}
    model["networks"] = own | {name: {"name": name, "external": True} for name in wishes.networks}
    volumes = {*(model.get("volumes") or {}), *binder.volumes}
    model["volumes"] = {name: {"labels": dict(wishes.labels)} for name in sorted(volumes)}
    return model


def refuse(file: ComposeFile) -> None:
    """Raise ComposeFileError for the first thing of `file` that cannot be made private, with its line."""
    for name, body in file.services.items():
        for key, reaches_out, why in _OUTSIDE:
            if key in body and reaches_out(body[key]):
                raise ComposeFileError(
                    f"{file.place(name, key)}: {key} of {name} cannot be made private: {why}. Leave the service out "
                    f"with --letta-compose-service without={name}, or test your deployment with --letta-url."
                )
    for kind in ("secrets", "configs"):
        for name, body in (file.model.get(kind) or {}).items():
            if (body or {}).get("external"):
                raise ComposeFileError(
                    f"{file.path}: {kind} {name} is external, and compose alone cannot provide it."
                )


def replicas(body: Mapping[str, Any]) -> int:
    """Return how many containers a service has."""
    deploy = body.get("deploy") or {}
    return int(body.get("scale") or deploy.get("replicas") or 1)


def _make_private(name: str, body: dict[str, Any], wishes: Wishes) -> None:
    targets = {int(one["target"]) for one in body.get("ports") or () if one.get("protocol", "tcp") == "tcp"}
    for key in _DROPPED:
        body.pop(key, None)
    if deploy := body.get("deploy"):
        deploy.pop("restart_policy", None)
    body["labels"] = {**(body.get("labels") or {}), **wishes.labels}
    body["depends_on"] = {
        other: how for other, how in (body.get("depends_on") or {}).items() if other not in wishes.without
    }
    if "build" in body:
        body["build"]["labels"] = {**(body["build"].get("labels") or {}), **wishes.labels}
        body["build"].pop("tags", None)
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
    return {**kept, "labels": {**(body.get("labels") or {}), **wishes.labels}}
