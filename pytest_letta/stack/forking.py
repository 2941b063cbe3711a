"""The owner's side of the zygote, and the processes that it forks."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pytest_letta.errors import ServiceError
from pytest_letta.stack import processes
from pytest_letta.stack.process_service import spawn
from pytest_letta.stack.rundir import RunDir

NAME = "letta-zygote"

_SCRIPT = Path(__file__).with_name("zygote.py")
_IMPORT_LIMIT_S = 180.0
_FORK_LIMIT_S = 20.0
_END_LIMIT_S = 2.0
_POLL_S = 0.02
_UNKNOWN_END = -signal.SIGKILL


class Zygote:
    """A process that has imported the server and forks new ones; starts importing at once."""

    def __init__(self, run: RunDir, python: Path, environment: Mapping[str, str], folder: Path) -> None:
        self._run = run
        # -P: the folder of the script is not put on sys.path, where our redis.py would hide the package redis.
        self._process = spawn(
            run,
            NAME,
            [str(python), "-P", str(_SCRIPT)],
            environment=environment,
            folder=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._lock = threading.Lock()
        self._pending = b""
        self._messages: list[dict[str, Any]] = []
        self._ended: dict[int, int] = {}
        self._is_ready = False
        self._unfit: str | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def unfit_reason(self) -> str | None:
        """Wait until the import is done, and return why forking would be no true restart; ``None`` when it would.

        Raises ServiceError when the import fails.
        """
        if not self._is_ready:
            self._unfit = self._next("ready", _IMPORT_LIMIT_S, "imported the server")
            self._is_ready = True
        return self._unfit

    def fork(
        self, arguments: Sequence[str], *, pid_file: Path, log: Path, database: str | None = None
    ) -> ForkedProcess:
        """Start a server with these command line arguments; raise ServiceError when that is not possible.

        `database` is the URI of its database; ``None`` stands for the one in the environment of the import.
        """
        files = {"pid_file": str(pid_file), "log": str(log)}
        self._tell({"fork": {"arguments": list(arguments), "database": database, **files}})
        return ForkedProcess(self, self._next("forked", _FORK_LIMIT_S, "forked a server"))

    def exit_code(self, pid: int) -> int | None:
        """Return the exit code of a forked process, negative for a signal; ``None`` if it was not told."""
        with self._lock:
            self._read(0.0)
            return self._ended.get(pid)

    def outlive_us(self) -> None:
        """Have the zygote and its servers go on when we end."""
        self._tell({"outlive": True})

    def close(self) -> None:
        """End the zygote and the servers it forked."""
        with self._lock:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            with suppress(OSError):
                self._process.stdin.close()
            try:
                # The end of its input makes it kill its servers; it looks only when it has finished the import.
                self._process.wait(_END_LIMIT_S if self._is_ready else 0.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process.stdout.close()

    def _tell(self, command: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(command).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise self._death("took a command") from error

    def _next(self, key: str, limit_s: float, done: str) -> Any:
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            with self._lock:
                self._read(0.1)
                for message in self._messages:
                    if "unfit" in message:
                        self._messages.remove(message)
                        raise ServiceError(f"{NAME} refused to fork: {message['unfit']}.")
                    if key in message:
                        self._messages.remove(message)
                        return message[key]
                if not self.is_running:
                    raise self._death(done)
        raise ServiceError(f"{NAME} had not {done} after {limit_s:.0f} s.{self._log_tail()}")

    def _read(self, wait_s: float) -> None:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        while select.select([descriptor], [], [], wait_s)[0]:
            data = os.read(descriptor, 65536)
            if not data:
                return
            wait_s = 0.0
            *lines, self._pending = (self._pending + data).split(b"\n")
            for line in lines:
                message = json.loads(line)
                if "ended" in message:
                    self._ended[message["ended"]] = message["code"]
                else:
                    # The system gives the id of a process that ended to a later one.
                    self._ended.pop(message.get("forked"), None)
                    self._messages.append(message)

    def _death(self, done: str) -> ServiceError:
        code = self._process.wait(_FORK_LIMIT_S)
        return ServiceError(f"{NAME} ended with {code} before it had {done}.{self._log_tail()}")

    def _log_tail(self) -> str:
        lines = self._run.log(NAME).read_text(errors="replace").splitlines()[-40:]
        return f"\nThe last lines of {self._run.log(NAME)}:\n" + "\n".join(lines)


class ForkedProcess:
    """A server that the zygote forked; the zygote is its parent and tells us its exit code."""

    def __init__(self, zygote: Zygote, pid: int) -> None:
        self._zygote = zygote
        self.pid = pid
        self._identity = processes.tree(pid)[:1]

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; ``None`` while it lives.

        When the zygote was killed nobody can tell the code any more, and it counts as killed too.
        """
        code = self._zygote.exit_code(self.pid)
        if code is None and not self._zygote.is_running and not processes.alive(self._identity):
            return _UNKNOWN_END
        return code

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code when the process has ended; raise subprocess.TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("letta server", timeout or 0.0)
            time.sleep(_POLL_S)
        return code
