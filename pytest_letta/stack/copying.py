"""Copies folders between the cache and a run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pytest_letta.stack.account import Account


def copy_tree(source: Path, target: Path, account: Account | None = None, *, without: str = "") -> None:
    """Copy the folder `source` to `target`, contents and modes, and give it to `account` (``None``: to us).

    A folder called `without` is left out. Raises the first OSError as it is: `shutil.copytree` goes on without
    room on the disk, and ends with a list of thousands of failures that has no errno.
    """
    for folder, folders, files in os.walk(source):
        if without in folders:
            folders.remove(without)
        made = target / Path(folder).relative_to(source)
        made.mkdir(parents=True)
        shutil.copymode(folder, made)
        for name in files:
            shutil.copy(os.path.join(folder, name), made / name)
            if account is not None:
                os.chown(made / name, account.uid, account.gid)
        if account is not None:
            os.chown(made, account.uid, account.gid)
