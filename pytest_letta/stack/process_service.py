"""A service that is a process of this machine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from abc import abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pytest_letta.errors import ServiceError, StackError
from pytest_letta.stack import processes
from pytest_letta.stack.account import Account
from pytest_letta.stack.rundir import RunDir
from pytest_letta.stack.service import Address, Service

if TYPE_CHECKING:
    import psutil

# The process that becomes the service writes its own id before that, so that there is no moment at which it runs
# unrecorded: if we are killed right after the fork, the reaper still finds it. No folder, no service.
_RECORDED = 'echo $$ > "$0" && exec "$@"'

# In the words of the services themselves; the last are those of the scripted model.
_PORT_TAKEN = re.compile(r"address (already )?in use|the port is in use", re.IGNORECASE)


class Process(Protocol):
    """What a service needs of its process; a `subprocess.Popen` has it."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...


class ProcessService(Service):
    """A process with its log and its folder; subclasses say what to run and how to ask whether it is healthy."""

    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    stop_limit_s: ClassVar[float] = 20.0
    account: Account | None = None

    def __init__(self, run: RunDir, address: Address) -> None:
        self.run = run
        self.address = address
        self.process: Process | None = None
        self._log_start = 0

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Return the command line."""

    @abstractmethod
    def environment(self) -> Mapping[str, str]:
        """Return the whole environment."""

    @property
    def folder(self) -> Path:
        """Return the service's own folder in the run."""
        return self.run.folder(self.name, self.account)

    @property
    def log(self) -> Path:
        return self.run.log(self.name)

    @property
    def log_place(self) -> str:
        return str(self.log)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def launch(self, *, cold: bool = False) -> None:
        if not self.is_running:
            self._mark_log()
            self.process = spawn(
                self.run,
                self.name,
                self.command(),
                environment=self.environment(),
                folder=self.folder,
                account=self.account,
            )

    def stop(self, number: signal.Signals | None = None) -> bool:
        """Ask the process to end, by the signal `number` or its own one; kill it after `stop_limit_s`.

        Returns whether it ended by itself.
        """
        if self.process is None or not self.is_running:
            return True
        members = processes.tree(self.process.pid)
        processes.thaw(self.process.pid)  # a frozen process would not hear us
        processes.send(members[:1], number or self.stop_signal)
        try:
            self.process.wait(self.stop_limit_s)
        except subprocess.TimeoutExpired:
            with self.log.open("a") as log:
                log.write(f"pytest-letta: {self.name} did not end within {self.stop_limit_s:.0f} s; it is killed.\n")
            self.kill()
            return False
        self._end(members[1:])
        return True

    def kill(self) -> None:
        if self.process is None or not self.is_running:
            return
        # What stands still cannot fork a child that we would not know of, as nginx does at its start.
        processes.freeze(self.process.pid)
        self._end(processes.tree(self.process.pid))
        self.process.wait(self.stop_limit_s)

    def pause(self) -> None:
        processes.freeze(self._running_pid("paused"))

    def resume(self) -> None:
        processes.thaw(self._running_pid("resumed"))

    def log_tail(self, lines: int = 40) -> str:
        try:
            with self.log.open(encoding="utf-8", errors="replace") as log:
                return "".join(deque(log, maxlen=lines))
        except FileNotFoundError:
            return ""

    def found_its_port_taken(self) -> bool:
        # The log since the last launch says so.
        with self.log.open(encoding="utf-8", errors="replace") as log:
            log.seek(self._log_start)
            return _PORT_TAKEN.search(log.read()) is not None

    def ending(self) -> str:
        return f"ended with {self.process.poll() if self.process is not None else None}"

    def owns_its_port(self) -> bool:
        return self.process is not None and processes.listens(self.process.pid, self.address.port)

    def _mark_log(self) -> None:
        self._log_start = self.log.stat().st_size if self.log.exists() else 0

    def _running_pid(self, participle: str) -> int:
        if self.process is None or not self.is_running:
            raise ServiceError(f"{self.name} cannot be {participle}: it is not running.")
        return self.process.pid

    def _end(self, members: Sequence[psutil.Process]) -> None:
        processes.send(members, signal.SIGKILL)
        if left := processes.wait_gone(members):
            raise ServiceError(f"{self.name} did not go after SIGKILL: process {left[0].pid} is still there.")


def spawn(
    run: RunDir,
    name: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    account: Account | None = None,
    stdin: int = subprocess.DEVNULL,
    stdout: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, recorded for the reaper, its output appended to its log.

    Raises StackError when it cannot be started at all.
    """
    pid_file = run.pid_file(name)
    pid_file.unlink(missing_ok=True)
    pid_file.touch(mode=0o600)
    with run.log(name).open("ab") as log:
        try:
            if account is not None:
                os.chown(pid_file, account.uid, account.gid)
            return subprocess.Popen(
                ["/bin/sh", "-c", _RECORDED, str(pid_file), *map(str, command)],
                env=dict(environment),
                cwd=folder,
                stdin=stdin,
                stdout=log if stdout is None else stdout,
                stderr=log,
                start_new_session=True,
                **as_user(account),
            )
        except OSError as error:
            raise StackError(f"cannot start {name}: {error}.") from error


def as_user(account: Account | None) -> dict[str, Any]:
    """Return the arguments of `subprocess` that run a child as `account`."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def plain_environment(home: Path) -> dict[str, str]:
    """Return an environment that holds nothing of the user's: no proxies, no keys, no Python settings."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
    }
