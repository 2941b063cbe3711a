"""The local provider: a whole stack of real services out of packages from PyPI."""

from __future__ import annotations

import atexit
import os
import shlex
import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Self

from pytest_letta.errors import PortTakenError, StackError
from pytest_letta.stack import cache, reaper, template, wheels
from pytest_letta.stack.letta import Letta, environment_of
from pytest_letta.stack.letta_env import ensure_letta_env
from pytest_letta.stack.model import Model
from pytest_letta.stack.nginx import Nginx
from pytest_letta.stack.ports import HOST, PortChooser, free_ports
from pytest_letta.stack.postgres import Postgres
from pytest_letta.stack.progress import Progress, Silence
from pytest_letta.stack.redis import Redis
from pytest_letta.stack.releases import DEFAULT_VERSION, release_of
from pytest_letta.stack.rundir import RunDir
from pytest_letta.stack.service import Address, Service
from pytest_letta.stack.stack import ACTIONS, SERVICES, Stack
from pytest_letta.stack.waiting import wait_healthy

_PORT_TRIES = 3


class LocalStack(Stack):
    """Postgres, Redis, the scripted model, Letta and nginx on ephemeral ports of the loopback address.

    `version` is a release that `releases.release_of` knows. `cache_dir` keeps the installed server and its migrated
    database between runs. `run_dir` is the folder to make for this run (``None``: one in the system's temporary
    folder). `letta_env` is put over the environment of the server. With `keep`, `close` leaves all of it running;
    `kept_hint` then says how to end it. `ports` chooses free ports.

    Use it as a context manager, or call `open` and `close`. Methods may be called from any thread.
    Raises SettingsError for a version or an extra that is missing.
    """

    provider: ClassVar[str] = "local"
    services = SERVICES

    def __init__(
        self,
        version: str = DEFAULT_VERSION,
        *,
        cache_dir: Path,
        run_dir: Path | None = None,
        letta_env: Mapping[str, str] = MappingProxyType({}),
        keep: bool = False,
        progress: Progress | None = None,
        ports: PortChooser = free_ports,
    ) -> None:
        wheels.require()
        self._release = release_of(version)
        self.version = version
        self._cache_dir = cache_dir
        self._run_dir = run_dir
        self._letta_env = dict(letta_env)
        self._keep = keep
        self._progress = progress or Silence()
        self._ports = ports
        self._lock = threading.RLock()
        self._owner = 0
        self._folder = ""
        self._run: RunDir | None = None
        self._members: dict[str, Service] = {}

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> Self:
        """Start everything and return when all of it is healthy; a second call does nothing.

        Raises CacheError, PortTakenError (after three tries) and other StackErrors; nothing is left running then.
        """
        with self._lock:
            if self._run is None:
                reaper.reap()
                for kind in ("letta", "databases"):
                    cache.remove_half_made(self._cache_dir / kind)
                self._owner = os.getpid()
                self._open_on_free_ports()
                atexit.register(self.close)
        return self

    def _open_on_free_ports(self) -> None:
        for left in reversed(range(_PORT_TRIES)):
            try:
                self._start_all()
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

    def close(self) -> None:
        """End every service and remove the folder, unless they are to be kept; a second call does nothing."""
        if self._owner != os.getpid():
            return  # never opened, or a fork of the owner that runs its exit handlers
        with self._lock:
            if self._run is None:
                return
            atexit.unregister(self.close)
            if self._keep:
                self._letta.outlive_us()
                self._run.keep()
                self._run.release()
                self._run = None
            else:
                self._end_all()

    @property
    def kept_hint(self) -> str | None:
        """How to end a stack that is kept, in one line; ``None`` when it is not."""
        if not self._keep or not self._folder:
            return None
        command = shlex.join([sys.executable, "-m", "pytest_letta.stack.reaper", self._folder])
        return f"kept running: {self.url} (proxy {self.proxy_url}); end it with: {command}"

    def can(self, action: str) -> bool:
        return action in ACTIONS

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
        """Stop `service` in order, start it, and return when it is healthy.

        Letta is forked from a process that has imported it and nothing else (why that is a true restart stands in
        zygote.py); `cold` starts ``letta server`` instead. For the other services `cold` makes no difference.
        """
        with self._lock:
            member = self._member(service)
            member.stop()
            if cold and isinstance(member, Letta):
                member.launch_cold()
            else:
                member.launch()
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

    def logs(self, service: str, lines: int = 40) -> str:
        return self._member(service).log_tail(lines)

    def _start_all(self) -> None:
        env = ensure_letta_env(self._release, self._cache_dir, self._progress)
        run = self._run = RunDir(self._run_dir)
        self._folder = str(run.path)
        at = dict(zip(SERVICES, (Address(HOST, port) for port in self._ports(len(SERVICES))), strict=True))
        postgres = Postgres(run, at["postgres"])
        redis = Redis(run, at["redis"])
        llm = Model(run, at["llm"])
        environment = environment_of(run, env, postgres, redis, llm.url, self._letta_env)
        letta = self._letta = Letta(run, at["letta"], env, environment, forks=self._release.forks)
        nginx = Nginx(run, at["nginx"], at["letta"])
        members: tuple[Service, ...] = (postgres, redis, llm, nginx, letta)
        self._members = {member.name: member for member in members}
        self.url, self.proxy_url, self.llm_url = letta.url, nginx.url, llm.url
        self.postgres_dsn, self.redis_url = postgres.dsn, redis.url
        # The import takes longest by far, so it begins first, and all else happens meanwhile.
        letta.prepare()
        for name in ("redis", "llm", "nginx"):
            self._members[name].launch()
        template.fill(postgres, env, self._cache_dir, self._progress)
        postgres.launch()
        for member in members:
            with self._progress.step(f"starting {member.name}"):
                member.launch()
                wait_healthy(member)

    def _end_all(self) -> None:
        run, members = self._run, self._members
        self._run, self._members = None, {}
        with ExitStack() as ending:  # each is ended, whatever happens to the others
            if run is not None:
                ending.callback(run.release)
                ending.callback(reaper.end, run.path)
            for member in members.values():
                ending.callback(member.end)

    def _member(self, service: str) -> Service:
        if service not in SERVICES:
            raise StackError(f"no service is called {service!r}; there are {', '.join(SERVICES)}.")
        if service not in self._members:
            raise StackError(f"the stack is not open, so there is no {service} to speak of.")
        return self._members[service]
