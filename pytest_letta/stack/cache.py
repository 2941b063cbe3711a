"""Entries of the cache: built once under a lock, used only when complete."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pytest_letta.errors import CacheError
from pytest_letta.stack.progress import Progress

#: The file that says that an entry is whole; written last.
STAMP = "complete"

_LOCK_SUFFIX = ".lock"
_WAIT_LIMIT_S = 1_200.0
_POLL_S = 0.2

_REMEDIES = {
    errno.ENOSPC: "the disk is full: free about 2 GB there",
    errno.EDQUOT: "your disk quota is used up: free about 2 GB there",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "it may not be written",
    errno.EPERM: "it may not be written",
    errno.ENOTDIR: "a part of the path is a file",
    errno.EEXIST: "a part of the path is a file",
}
_ELSEWHERE = "or set XDG_CACHE_HOME to another folder"


def ensure(
    entry: Path,
    build: Callable[[Path, int], None],
    progress: Progress,
    is_usable: Callable[[Path], bool] | None = None,
) -> Path:
    """Return `entry`, a folder built by ``build(entry, lock)`` unless it is there, complete and usable.

    Built in place, because a Python environment cannot be moved; the stamp is written last, so an entry whose
    builder was killed is taken for what it is and made anew. Processes that want one entry at once build it once:
    the others wait. `lock` is the descriptor of the lock; a child of the builder that inherits it holds the entry
    until it ends too, and cannot write into the next attempt.

    Raises CacheError when the folder cannot be written or another process takes over 20 minutes.
    """
    with explained(entry.parent):
        if _is_whole(entry, is_usable):
            return entry  # no lock: a read-only cache that somebody filled is good enough
        entry.parent.mkdir(parents=True, exist_ok=True)
        with _locked(entry, progress) as lock:
            if not _is_whole(entry, is_usable):
                if entry.exists():
                    shutil.rmtree(entry)
                entry.mkdir()
                try:
                    build(entry, lock)
                    (entry / STAMP).touch()
                except BaseException:
                    shutil.rmtree(entry, ignore_errors=True)  # it may be what fills the disk
                    raise
    return entry


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn what a full or protected disk does below `folder` into a CacheError that says what to do."""
    try:
        yield
    except OSError as error:
        elsewhere = error.filename is not None and not Path(str(error.filename)).is_relative_to(folder)
        if error.errno not in _REMEDIES or elsewhere:
            raise
        raise cache_error(folder, error.errno) from error


def cache_error(folder: Path, number: int) -> CacheError:
    """Return the error for the errno `number` met in `folder`."""
    return CacheError(f"cannot fill the cache folder {folder}: {_REMEDIES[number]}, {_ELSEWHERE}.")


def remove_half_made(kind: Path) -> None:
    """Remove the entries of the folder `kind` that were left unfinished by builders that are gone.

    In a cache that we may not write they stay.
    """
    for entry in kind.iterdir() if kind.is_dir() else ():
        if entry.is_dir() and not (entry / STAMP).exists():
            with suppress(OSError), _lock_file(entry) as lock:
                if _try_lock(lock) and not (entry / STAMP).exists():
                    shutil.rmtree(entry, ignore_errors=True)


def _is_whole(entry: Path, is_usable: Callable[[Path], bool] | None) -> bool:
    return (entry / STAMP).exists() and (is_usable is None or is_usable(entry))


@contextmanager
def _locked(entry: Path, progress: Progress) -> Iterator[int]:
    with _lock_file(entry) as lock:
        if not _try_lock(lock):
            with progress.step(f"waiting for another process to finish {entry.name}"):
                _wait_for_lock(lock, entry)
        yield lock


@contextmanager
def _lock_file(entry: Path) -> Iterator[int]:
    # Closing our descriptor, not unlocking, is what lets go: a child that inherited it keeps the lock.
    descriptor = os.open(entry.with_name(entry.name + _LOCK_SUFFIX), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _wait_for_lock(lock: int, entry: Path) -> None:
    deadline = time.monotonic() + _WAIT_LIMIT_S
    while not _try_lock(lock):
        if time.monotonic() > deadline:
            raise CacheError(
                f"another process has been filling {entry} for over {_WAIT_LIMIT_S / 60:.0f} minutes; "
                "end it, or set XDG_CACHE_HOME to another folder."
            )
        time.sleep(_POLL_S)


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
