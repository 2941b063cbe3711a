"""The data: what the database keeps outlives its container."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_letta.compose.data_folder import data_folder, holds
from pytest_letta.compose.entries import mounting
from pytest_letta.compose.file import ComposeFile
from pytest_letta.compose.place import Finding
from pytest_letta.compose.server import has_inner_database


def outlive_the_container(file: ComposeFile) -> Iterator[Finding]:
    """Find a database whose data go with its container: on no volume, a nameless one, or beside the right path."""
    name = file.roles.get("postgres") or (file.roles["letta"] if has_inner_database(file) else None)
    if name is None or file.services[name].get("volumes_from"):
        return  # somebody else's, or on a volume of another service
    folder, mounts = data_folder(file, name), file.services[name].get("volumes") or []
    holding = [one for one in mounts if holds(file.services[name], one, folder)]
    if not holding:
        beside = [str(one["target"]) for one in mounts if "postgres" in one["target"] or "pgdata" in one["target"]]
        shown = f"; {beside[0]} is not that folder" if beside else ""
        keys = ("volumes", mounting(beside[0])) if beside else ("volumes",)
        yield file.finding(
            f"{name} keeps the database in {folder}, which is on no volume{shown}: the data go with the container",
            name,
            *keys,
        )
        return
    mount = holding[-1]
    is_nameless = mount["type"] == "volume" and not mount.get("source")
    if is_nameless or mount["type"] == "tmpfs":
        kind = "a volume without a name" if is_nameless else "a tmpfs"
        yield file.finding(
            f"{name} keeps the database on {kind}: `docker compose down` takes the data away",
            name,
            "volumes",
            mounting(mount["target"]),
        )
