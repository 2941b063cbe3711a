"""Makes the bind mounts of a compose file private: read-only copies, and no sockets."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pytest_letta.compose.data_folder import data_folder
from pytest_letta.compose.entries import mounting
from pytest_letta.compose.server import has_inner_database
from pytest_letta.errors import ComposeFileError

if TYPE_CHECKING:
    from pytest_letta.compose.file import ComposeFile

#: Where the images keep what they write; what is mounted there is never copied, however small.
_DATA = {"postgres": "/var/lib/postgresql", "redis": "/data", "letta": "/root/.letta"}
_MOST_BYTES = 256 * 1024 * 1024


class Binder:
    """Copies what is bound into `folder`; `volumes` are those that take the place of mounts, `notes` say of which.

    Copies belong to the run and go with its folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.volumes: list[str] = []
        self.notes: list[str] = []

    def bound(self, file: ComposeFile, service: str, mounts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the mounts of a service without anything of the owner's in them.

        Raises ComposeFileError, with the line, for a mount that is too big to copy.
        """
        made = (self._made(file, service, mount) if mount.get("type") == "bind" else mount for mount in mounts)
        return [mount for mount in made if mount is not None]

    def _made(self, file: ComposeFile, service: str, mount: dict[str, Any]) -> dict[str, Any] | None:
        source, target = Path(mount["source"].replace("$$", "$")), str(mount["target"])
        where = file.place(service, "volumes", mounting(target))
        if _is_data(file, service, target):
            self.notes.append(f"{where}: {target} of {service} is an empty volume of the copy, not {source}")
            return self._volume(target)
        if not source.exists():
            self.notes.append(f"{where}: {source} does not exist; {target} of {service} is empty in the copy")
            return self._volume(target)
        if not (source.is_file() or source.is_dir()):
            self.notes.append(f"{where}: {source} is no file; {service} does without {target} in the copy")
            return None
        if source.is_dir() and not mount.get("read_only"):
            self.notes.append(f"{where}: {target} of {service} is a copy, and read-only")
        copy = self._copied(source, f"{where}: {target} of {service}")
        return {"type": "bind", "source": str(copy).replace("$", "$$"), "target": target, "read_only": True}

    def _volume(self, target: str) -> dict[str, Any]:
        name = f"letta-copy-{len(self.volumes)}"
        self.volumes.append(name)
        return {"type": "volume", "source": name, "target": target}

    def _copied(self, source: Path, what: str) -> Path:
        copy = self._folder / f"{len(list(self._folder.iterdir()))}-{source.name}"
        if source.is_file():
            shutil.copy2(source, copy)
        else:
            if _size(source) > _MOST_BYTES:
                raise ComposeFileError(
                    f"{what}: {source} holds more than {_MOST_BYTES >> 20} MiB, too much to copy for a run. Leave "
                    "the service out with --letta-compose-service without=SERVICE, or mount less."
                )
            shutil.copytree(source, copy, symlinks=True, ignore=_special)
        _open_to_all(copy)
        return copy


def _is_data(file: ComposeFile, service: str, target: str) -> bool:
    """Tell whether a service keeps its data at `target`, or below it, or above."""
    roles = [role for role, name in file.roles.items() if name == service]
    if any(PurePosixPath(target).is_relative_to(_DATA[role]) for role in roles if role in _DATA):
        return True
    has_database = "postgres" in roles or ("letta" in roles and has_inner_database(file))
    return has_database and data_folder(file, service).is_relative_to(target)


def _size(folder: Path) -> int:
    found = 0
    for root, _, names in os.walk(folder):
        found += sum(os.lstat(os.path.join(root, name)).st_size for name in names)
        if found > _MOST_BYTES:
            break
    return found


def _special(folder: str, names: list[str]) -> set[str]:
    """Name what is neither file, folder nor link: a copy of a pipe would wait for ever."""
    kinds = (stat.S_ISREG, stat.S_ISDIR, stat.S_ISLNK)
    return {name for name in names if not any(kind(os.lstat(os.path.join(folder, name)).st_mode) for kind in kinds)}


def _open_to_all(copy: Path) -> None:
    """Let the users of the containers read the copy, as they could read the original: bits of others are kept."""
    for one in [copy, *copy.rglob("*")]:
        if not one.is_symlink():
            one.chmod(one.stat().st_mode | (0o555 if one.is_dir() else 0o444))
