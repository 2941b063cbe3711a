"""A stack that we start and end: what all providers do alike."""

from __future__ import annotations

import atexit
import os
import shlex
import threading
from abc import abstractmethod
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from pytest_letta.errors import PortTakenError, StackError
from pytest_letta.stack import reaper
from pytest_letta.stack.description import Description
from pytest_letta.stack.progress import Progress, Silence
from pytest_letta.stack.rundir import RunDir
from pytest_letta.stack.second import Second
from pytest_letta.stack.service import Address, Service
from pytest_letta.stack.stack import SecondServer, Stack
from pytest_letta.stack.waiting import wait_healthy

_PORT_TRIES = 3


class ManagedStack(Stack):
    """Services that live as long as this process, or are kept on purpose.

    `run_dir` is the folder to make for this run (``None``: one in the system's temporary folder). With `keep`,
    `close` leaves all of it running; ``kept_hint`` then says how to end it.

    Use it as a context manager, or call `open` and `close`. Methods may be called from any thread.
    """

    def __init__(self, *, run_dir: Path | None = None, keep: bool = False, progress: Progress | None = None) -> None:
        self._run_dir = run_dir
        self._keep = keep
        self._progress = progress or Silence()
        self._lock = threading.RLock()
        self._owner = 0
        self._description: Description | None = None
        self._run: RunDir | None = None
        self._members: dict[str, Service] = {}
        self._second: Second | None = None

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> Self:
        """Start everything and return when all of it is healthy; a second call does nothing.

        Raises StackError, of which PortTakenError after three tries; nothing is left running then.
        """
        with self._lock:
            if self._run is None:
                self._clear_old_runs()
                self._owner = os.getpid()
                self._open_on_free_ports()
                atexit.register(self.close)
        return self

    def close(self) -> None:
        """End every service and remove the folder, unless they are to be kept; a second call does nothing."""
        if self._owner != os.getpid():
            return  # never opened, or a fork of the owner that runs its exit handlers
        with self._lock:
            if self._run is None:
                return
            atexit.unregister(self.close)
            if self._keep:
                self.stop_second()
                self._let_go()
                self._run.keep()
                self._run.release()
                self._run = None
            else:
                self._end_all()

    @property
    def description(self) -> Description:
        """What a stack that was opened tells of itself; raises StackError before that."""
        if self._description is None:
            raise StackError("the stack is not open, so there is nothing to tell of it.")
        return self._description

    @property
    def kept_hint(self) -> str | None:
        """How to end a stack that is kept, in one line; ``None`` when it is not."""
        told = self._description
        if not self._keep or told is None:
            return None
        proxy = f" (proxy {told.proxy_url})" if told.proxy_url else ""
        name = told.id if reaper.is_found(Path(told.folder)) else shlex.quote(told.folder)
        return f"kept running: {told.url}{proxy}; end it with: pytest-letta down {name}"

    def give_to_person(self) -> Description:
        """Tell others that no test run holds this stack, so that they may end it; return what they read."""
        self._describe(replace(self.description, holder="person"))
        return self.description

    def address(self, service: str) -> Address:
        return self._member(service).address

    def start(self, service: str) -> None:
        with self._lock:
            member = self._member(service)
            member.launch()
            wait_healthy(member)

    def stop(self, service: str) -> None:
        with self._lock:
            self._member(service).stop()

    def restart(self, service: str, *, cold: bool = False) -> None:
        with self._lock:
            member = self._member(service)
            member.stop()
            member.launch(cold=cold)
            wait_healthy(member)

    def kill(self, service: str) -> None:
        with self._lock:
            self._member(service).kill()

    def pause(self, service: str) -> None:
        with self._lock:
            self._member(service).pause()

    def resume(self, service: str) -> None:
        with self._lock:
            self._member(service).resume()

    def start_second(self, database: str = "same") -> SecondServer:
        with self._lock:
            if self._second is None and self.can("second"):
                raise StackError("the stack is not open, so that nothing can be started beside its server.")
            return self._second.start(database) if self._second else super().start_second(database)

    def stop_second(self) -> None:
        with self._lock:
            if self._second is not None:
                self._second.stop()

    def logs(self, service: str, lines: int = 40) -> str:
        return self._member(service).log_tail(lines)

    def _clear_old_runs(self) -> None:
        """End what the stacks of killed owners left behind."""
        reaper.reap()

    @abstractmethod
    def _start_all(self, run: RunDir) -> None:
        """Fill ``_members`` and the URLs, and return when all is healthy; what is in `run` is ended if this fails."""

    @abstractmethod
    def _let_go(self) -> None:
        """Have the services go on when this process ends."""

    def _open_on_free_ports(self) -> None:
        for left in reversed(range(_PORT_TRIES)):
            try:
                self._run = RunDir(self._run_dir)
                self._start_all(self._run)
                self._describe(self._described(self._run))
                return
            except PortTakenError:
                self._end_all()
                if not left:
                    raise
            except OSError as error:
                self._end_all()
                raise StackError(f"cannot start the stack: {error}. Is the disk of TMPDIR full?") from error
            except BaseException:
                self._end_all()
                raise

    def _end_all(self) -> None:
        run, members = self._run, self._members
        self._run, self._members, self._second = None, {}, None
        with ExitStack() as ending:  # each is ended, whatever happens to the others
            if run is not None:
                ending.callback(run.release)
                ending.callback(reaper.end, run.path)
            for member in members.values():
                ending.callback(member.end)

    def _described(self, run: RunDir) -> Description:
        return Description(
            id=run.id,
            folder=str(run.path),
            provider=self.provider,
            version=self.version,
            url=self.url,
            proxy_url=self.proxy_url,
            tls_url=self.tls_url,
            ca_file=self.ca_file,
            llm_url=self.llm_url,
            postgres_dsn=self.postgres_dsn,
            redis_url=self.redis_url,
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            owner_pid=self._owner,
            holder="run",
        )

    def _describe(self, description: Description) -> None:
        assert self._run is not None
        self._description = description
        self._run.describe(description.as_text())

    def _member(self, service: str) -> Service:
        if service not in self.services:
            raise StackError(f"no service is called {service!r}; there are {', '.join(self.services)}.")
        if service not in self._members:
            raise StackError(f"the stack is not open, so there is no {service} to speak of.")
        return self._members[service]
