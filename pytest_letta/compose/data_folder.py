"""Where a Postgres of a compose file keeps its data, and which of its mounts hold them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from pytest_letta.compose.file import ComposeFile, image_of

_OLD = PurePosixPath("/var/lib/postgresql/data")
_NEW = PurePosixPath("/var/lib/postgresql")
#: From this major version on the official image keeps its data in a folder that names the version.
_MOVED_IN = 18
#: Images that are the official one with something added.
_OFFICIAL = re.compile(r"(docker\.io/)?(library/)?postgres|(docker\.io/)?(pgvector|ankane)/pgvector|.*/postgis")


def data_folder(file: ComposeFile, name: str) -> PurePosixPath:
    """Return the folder inside of the container of `name`, which is a Postgres, or a Letta with its own inside."""
    body = file.services[name]
    chosen = file.environment(name).get("PGDATA")
    if chosen:
        return PurePosixPath(chosen)
    if name == file.roles["letta"] or _is_before_move(body):
        return _OLD
    major = _major(body)
    if is_official(body) and major is not None:
        return _NEW / str(major) / "docker"
    # Nothing is known of where this image keeps its data: a volume that is named for it will be the one.
    targets = [str(one["target"]) for one in body.get("volumes") or ()]
    named = [target for target in targets if re.search("postgres|pgdata", target) and not target.startswith("/etc/")]
    return PurePosixPath(named[0]) if named else _OLD


def holds(body: Mapping[str, Any], mount: Mapping[str, Any], folder: PurePosixPath) -> bool:
    """Tell whether `mount` of the service `body` is where the data in `folder` go."""
    target = PurePosixPath(mount["target"])
    # Up to 17 the image declares a volume of its own at the old path, which covers a mount of the folder above it.
    is_covered = _is_before_move(body) and folder.is_relative_to(_OLD) and target == _NEW
    return folder.is_relative_to(target) and not is_covered


def is_official(body: Mapping[str, Any]) -> bool:
    """Tell whether the image is the official one, or that with something added."""
    return _OFFICIAL.fullmatch(image_of(body)[0]) is not None


def _is_before_move(body: Mapping[str, Any]) -> bool:
    major = _major(body)
    return is_official(body) and major is not None and major < _MOVED_IN


def _major(body: Mapping[str, Any]) -> int | None:
    """Return the major version of Postgres that an official image's tag tells, or ``None``."""
    repository, tag = image_of(body)
    if repository.endswith("/pgvector"):
        found = re.search(r"\bpg(\d+)", tag)
        # ankane's image is older than the versions in its tags.
        return int(found[1]) if found else 15 if "ankane" in repository else None
    found = re.match(r"(\d+)", tag)
    return int(found[1]) if found else None
