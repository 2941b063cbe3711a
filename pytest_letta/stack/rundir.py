"""The folder of one running stack, and the lock that tells whether its owner lives."""

from __future__ import annotations

import fcntl
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from pytest_letta.errors import StackError
from pytest_letta.stack.account import Account

PREFIX = "pytest-letta-stack-"
LOCK = "owner.lock"
KEPT = "kept"
#: Tells what the stack is, once all of it is healthy; for its user alone, since it holds a password.
DESCRIPTION = "stack.json"
#: Holds the id of the run as which its containers are labelled, where it has some.
CONTAINERS = "containers"


class RunDir:
    """A fresh folder with a folder per service, ``logs`` and ``pids``; locked as long as this process lives.

    The kernel lets go of the lock when the process ends, however it ends, and no child inherits it across exec.
    Others may pass through the folder (Postgres runs as another user under root) but read nothing in it.
    `id` is eight hexadecimal digits; they end the name of a folder that is made in the system's temporary folder.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.id = secrets.token_hex(4)
        self.path = self._made(path or Path(tempfile.gettempdir()) / f"{PREFIX}{self.id}")
        self._lock = self._take_lock()
        for name in ("logs", "pids"):
            self.folder(name)
        (self.path / "pids").chmod(0o711)

    def folder(self, name: str, account: Account | None = None) -> Path:
        """Return the folder `name`, made at the first call, belonging to `account` (``None``: to us)."""
        folder = self.path / name
        if not folder.exists():
            folder.mkdir(mode=0o700)
            if account is not None:
                os.chown(folder, account.uid, account.gid)
        return folder

    def log(self, service: str) -> Path:
        return self.path / "logs" / f"{service}.log"

    def pid_file(self, service: str) -> Path:
        return self.path / "pids" / service

    def describe(self, text: str) -> None:
        """Write what the stack is, so that whoever reads it finds all of it or what was there before."""
        nameless = self.path / (DESCRIPTION + ".new")
        nameless.touch(mode=0o600)
        nameless.write_text(text)
        nameless.rename(self.path / DESCRIPTION)

    def keep(self) -> None:
        """Tell the reaper to leave this folder and what runs in it alone."""
        (self.path / KEPT).touch()

    def release(self) -> None:
        """Let go of the lock."""
        os.close(self._lock)

    @staticmethod
    def _made(path: Path) -> Path:
        try:
            path.mkdir(mode=0o711, parents=True)
            path.chmod(0o711)
        except OSError as error:
            raise StackError(
                f"cannot make the folder of the stack: {error}. Set TMPDIR to a folder that can be written."
            ) from error
        return path.resolve()

    def _take_lock(self) -> int:
        # Locked before it gets its name: whoever sees the name finds it locked, or its owner dead.
        nameless = self.path / (LOCK + ".new")
        descriptor = os.open(nameless, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        nameless.rename(self.path / LOCK)
        return descriptor


def has_living_owner(folder: Path) -> bool:
    """Tell whether the process that holds the run `folder` lives."""
    with suppress(FileNotFoundError):
        descriptor = os.open(folder / LOCK, os.O_RDWR)
        try:
            # Shared: two who ask at once do not take each other for the owner.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
    return False
