"""Runs the commands that fill the cache, and explains their failures in one line."""

from __future__ import annotations

import errno
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pytest_letta.errors import StackError
from pytest_letta.stack.cache import cache_error

_LIMIT_S = 1_200.0

_DISK = {
    errno.ENOSPC: re.compile(r"no space left on device|os error 28\b", re.IGNORECASE),
    errno.EDQUOT: re.compile(r"disk quota exceeded|os error 122\b", re.IGNORECASE),
    errno.EROFS: re.compile(r"read-only file system|os error 30\b", re.IGNORECASE),
    errno.EACCES: re.compile(r"permission denied|os error 13\b", re.IGNORECASE),
}
_NETWORK = re.compile(
    r"dns error|failed to lookup|name resolution|name or service not known|connection refused|error sending request"
    r"|timed out|network is unreachable|max retries exceeded|failed to establish a new connection|tunnel error",
    re.IGNORECASE,
)


def run_for_cache(command: Sequence[str | Path], what: str, *, folder: Path, lock: int) -> None:
    """Run `command` in `folder` to get `what`, with the user's own environment: it names indexes and proxies.

    Temporary files are put into `folder` too, so that those of a command that is killed go when the folder goes.
    Raises CacheError when the disk was the reason for a failure, else StackError.
    """
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    try:
        done = subprocess.run(
            ["env", f"TMPDIR={temporary}", *map(str, command)],
            cwd=folder,
            pass_fds=[lock],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StackError(f"installing {what} took over {_LIMIT_S / 60:.0f} minutes; is the network slow?") from error
    shutil.rmtree(temporary, ignore_errors=True)
    if done.returncode != 0:
        raise failure(what, done.stdout, done.returncode, folder)


def failure(what: str, output: str, code: int, folder: Path) -> StackError:
    """Return the error for a command that ended with `code` after it wrote `output`."""
    for number, pattern in _DISK.items():
        if pattern.search(output):
            return cache_error(folder.parent, number)
    if _NETWORK.search(output):
        return StackError(
            f"cannot install {what}: the package index cannot be reached ({_last_line(output)}). Connect, set the "
            f"index or proxy that pip and uv use here, or fill {folder.parent} on a machine that is connected."
        )
    return StackError(f"cannot install {what} (exit {code}): {_last_line(output)}")


def _last_line(output: str) -> str:
    # uv draws its causes as a tree.
    lines = [re.sub(r"^\W+", "", line) for line in output.splitlines() if re.search(r"\w", line)]
    return lines[-1] if lines else "it said nothing"
