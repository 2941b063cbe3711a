"""What the files are that a compose file puts into a container, seen from inside of it."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_letta.compose.file import ComposeFile

#: No configuration is longer.
_LONGEST = 1_000_000
_MOST_FILES = 200


@dataclass(frozen=True, slots=True)
class MountedText:
    """A text file at `inside` a container, which is `file` here (the compose file, when it holds the text itself)."""

    inside: PurePosixPath
    file: Path
    text: str


def text_at(file: ComposeFile, service: str, inside: str) -> MountedText | None:
    """Return the text that a service has at the path `inside`; ``None`` when this file puts none there."""
    return next((one for one in _texts(file, service) if one.inside == PurePosixPath(inside)), None)


def texts_like(file: ComposeFile, service: str, pattern: str) -> list[MountedText]:
    """Return the texts of a service whose path matches a shell pattern, in the order in which nginx includes them."""
    found = [one for one in _texts(file, service) if fnmatch.fnmatchcase(str(one.inside), pattern)]
    depth = pattern.count("/")
    return sorted((one for one in found if str(one.inside).count("/") == depth), key=lambda one: str(one.inside))


def texts_below(file: ComposeFile, service: str, folder: str) -> list[MountedText]:
    """Return the texts of a service in `folder`, however deep."""
    return [one for one in _texts(file, service) if one.inside.is_relative_to(folder)]


def mounted_texts(file: ComposeFile, service: str) -> list[str]:
    """Return all texts that the file puts into a service."""
    return [one.text for one in _texts(file, service)]


def _texts(file: ComposeFile, service: str) -> Iterator[MountedText]:
    body = file.services[service]
    for mount in body.get("volumes") or ():
        if mount.get("type") == "bind":
            yield from _of_path(PurePosixPath(mount["target"]), Path(mount["source"]))
    declared = file.model.get("configs") or {}
    for config in body.get("configs") or ():
        source = declared.get(config["source"]) or {}
        inside = PurePosixPath("/", config.get("target") or config["source"])
        if "file" in source:
            yield from _of_path(inside, Path(source["file"]))
        elif "content" in source:
            yield MountedText(inside, file.path, str(source["content"]).replace("$$", "$"))


def _of_path(inside: PurePosixPath, path: Path) -> Iterator[MountedText]:
    if path.is_dir():
        for child in sorted(islice(path.rglob("*"), _MOST_FILES)):
            if child.is_file():
                yield from _of_path(inside / child.relative_to(path).as_posix(), child)
    elif path.is_file():
        try:
            if path.stat().st_size <= _LONGEST:
                yield MountedText(inside, path, path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            return
