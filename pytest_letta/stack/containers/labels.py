"""Labels that tell whose a container, network or volume is: of which run, and whether its owner lives."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_letta.stack.rundir import has_living_owner

RUN = "pytest-letta.run"
_OWNER = "pytest-letta.owner"
_FOLDER = "pytest-letta.folder"
_KEPT = "pytest-letta.kept"


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who made something: a run with its folder, on this machine or another (then `is_ours` is false)."""

    run: str
    folder: Path
    is_ours: bool
    is_kept: bool

    @property
    def is_orphaned(self) -> bool:
        """Whether the process that would clean up is gone; only of use where `is_ours` holds."""
        return not has_living_owner(self.folder)


def labels_of(run: str, folder: Path, *, keep: bool) -> dict[str, str]:
    """Return the labels of everything that the run `run`, with that folder, makes."""
    kept = {_KEPT: "true"} if keep else {}
    return {RUN: run, _OWNER: _this_owner(), _FOLDER: str(folder), **kept}


def ownership(labels: Mapping[str, str]) -> Ownership | None:
    """Read the labels of something; ``None`` when it is not of pytest-letta."""
    if RUN not in labels:
        return None
    return Ownership(
        run=labels[RUN],
        folder=Path(labels.get(_FOLDER, "/nonexistent")),
        is_ours=labels.get(_OWNER) == _this_owner(),
        is_kept=labels.get(_KEPT) == "true",
    )


def _this_owner() -> str:
    """Name this user of this machine, without telling either to whoever reads the labels of a shared engine."""
    machine = Path("/etc/machine-id")
    identity = machine.read_text().strip() if machine.exists() else ""
    return hashlib.sha256(f"{identity}/{platform.node()}/{os.getuid()}".encode()).hexdigest()[:16]
