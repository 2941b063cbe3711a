"""Somebody who runs a stack of his own by `docker compose`, beside which a copy is made."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docker.models.networks import Network
from docker.types import IPAMConfig, IPAMPool

from pytest_letta.compose.reading import compose
from pytest_letta.stack.containers.engine import Engine
from pytest_letta.stack.ports import free_ports

#: What changes in a container that nobody touches: its health checks and the commands that they are, and what it
#: has written to its disk.
_RESTLESS = r"^/containers/[^/]+/(State/Health|ExecIDs|SizeRw)"

_FILES = Path(__file__).parent / "owners"


class Owner:
    """The stack of ``owners/compose.yml`` in `folder`, with a network and a volume that were made before it."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.name = f"owner-{secrets.token_hex(4)}"
        self.folder = folder / "owners"
        shutil.copytree(_FILES, self.folder)
        store = folder / "store"
        store.mkdir()
        (store / "kept-by-the-owner").touch()
        self._engine = engine
        self.volume = engine.client.volumes.create(f"{self.name}-data")
        self.network, address = _network(engine, f"{self.name}-network")
        db, letta, proxy = free_ports(3)
        self.url = f"http://127.0.0.1:{letta}"
        self.variables = {
            "OWNER": self.name,
            "STORE": str(store),
            "DB_PORT": str(db),
            "LETTA_PORT": str(letta),
            "PROXY_PORT": str(proxy),
            "LETTA_ADDRESS": address,
        }

    @property
    def file(self) -> Path:
        return self.folder / "compose.yml"

    def start(self) -> None:
        """Have it run, and return when everything that has a health check is healthy."""
        self._compose("up", "--detach")

    def leave(self) -> None:
        """Take away all of it."""
        self._compose("down", "--volumes", "--timeout", "1")
        self.network.remove()
        self.volume.remove(force=True)

    def state(self) -> dict[str, Any]:
        """Return what the engine and the disk tell of everything that is his, without what changes by itself.

        Flat, with the path to each value as its key, so that a difference is seen.
        """
        client = self._engine.client
        chosen = {"label": f"com.docker.compose.project={self.name}"}
        containers = client.containers.list(all=True, filters=chosen)
        self.network.reload()
        self.volume.reload()
        told = {
            "containers": {one.name: one.attrs for one in containers},
            "network": {key: self.network.attrs[key] for key in ("Id", "IPAM", "Containers", "Labels")},
            "volume": dict(self.volume.attrs),
            "images": {one.name: one.image.tags for one in containers if one.image is not None},
            "files": {str(one): one.read_bytes() for one in self.folder.parent.rglob("*") if one.is_file()},
        }
        return {path: value for path, value in _flat(told, "") if not re.search(_RESTLESS, path)}

    def _compose(self, *words: str) -> None:
        command = compose("-f", str(self.file), *words)
        environment = {**os.environ, **self.variables}
        done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}/{key}")
    elif isinstance(value, list):  # the engine gives some in any order
        yield path, sorted(json.dumps(one, sort_keys=True) for one in value)
    else:
        yield path, value


def _network(engine: Engine, name: str) -> tuple[Network, str]:
    """Make a network on which containers may have fixed addresses, and return it with such an address."""
    # The engine knows which subnets are free, and gives fixed addresses only on those that somebody named.
    probe = engine.client.networks.create(name)
    probe.reload()
    subnet = probe.attrs["IPAM"]["Config"][0]["Subnet"]
    probe.remove()
    made = engine.client.networks.create(name, ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=subnet)]))
    return made, subnet.partition("/")[0].rpartition(".")[0] + ".200"
