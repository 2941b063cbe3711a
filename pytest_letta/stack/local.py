"""The local provider: a whole stack of real services out of packages from PyPI."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from pytest_letta.errors import ServiceError
from pytest_letta.stack import cache, rows, template, wheels
from pytest_letta.stack.letta import Letta, environment_of
from pytest_letta.stack.letta_env import ensure_letta_env
from pytest_letta.stack.managed import ManagedStack
from pytest_letta.stack.model import Model
from pytest_letta.stack.nginx import Nginx
from pytest_letta.stack.ports import HOST, PortChooser, free_ports
from pytest_letta.stack.postgres import Postgres
from pytest_letta.stack.progress import Progress
from pytest_letta.stack.redis import Redis
from pytest_letta.stack.releases import DEFAULT_VERSION, release_of
from pytest_letta.stack.rundir import RunDir
from pytest_letta.stack.second_local import LocalSecond
from pytest_letta.stack.service import Address, Service
from pytest_letta.stack.stack import ACTIONS, SERVICES, Execution
from pytest_letta.stack.waiting import wait_healthy

_QUERY_LIMIT_S = 30.0


class LocalStack(ManagedStack):
    """Postgres, Redis, the scripted model, Letta and nginx on ephemeral ports of the loopback address.

    `version` is a release that `releases.release_of` knows. `cache_dir` keeps the installed server and its migrated
    database between runs. `letta_env` is put over the environment of the server. `ports` chooses free ports.

    A restart of Letta forks it from a process that has imported it and nothing else (why that is a true restart
    stands in zygote.py); with ``cold`` it is ``letta server`` from the start.
    Raises SettingsError for a version or an extra that is missing.
    """

    provider: ClassVar[str] = "local"
    services = SERVICES
    actions = ACTIONS - {"partition", "recreate", "execute"}

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
        super().__init__(run_dir=run_dir, keep=keep, progress=progress)
        self._release = release_of(version)
        self.version = version
        self._cache_dir = cache_dir
        self._letta_env = dict(letta_env)
        self._ports = ports

    def reload(self, service: str) -> None:
        with self._lock:
            member = self._member(service)
            if not isinstance(member, Nginx):
                raise self._refusal("reload", service)
            member.reload()

    def query(self, statement: str) -> list[dict[str, Any]]:
        psql = [
            str(wheels.postgres_home() / "bin" / "psql"),
            "-d",
            str(self.postgres_dsn),
            *rows.arguments(statement),
        ]
        try:
            done = subprocess.run(psql, capture_output=True, text=True, timeout=_QUERY_LIMIT_S, check=False)
        except subprocess.TimeoutExpired:
            raise ServiceError(f"postgres did not answer a query within {_QUERY_LIMIT_S:.0f} s") from None
        return rows.read(Execution(done.returncode, done.stdout + done.stderr))

    def _clear_old_runs(self) -> None:
        super()._clear_old_runs()
        for kind in ("letta", "databases"):
            cache.remove_half_made(self._cache_dir / kind)

    def _let_go(self) -> None:
        self._letta.outlive_us()

    def _start_all(self, run: RunDir) -> None:
        env = ensure_letta_env(self._release, self._cache_dir, self._progress)
        *ports, tls_port = self._ports(len(SERVICES) + 1)
        at = dict(zip(SERVICES, (Address(HOST, port) for port in ports), strict=True))
        postgres = Postgres(run, at["postgres"])
        redis = Redis(run, at["redis"])
        llm = Model(run, at["llm"])
        environment = environment_of(run, env, postgres, redis, llm.url, self._letta_env)
        letta = self._letta = Letta(run, at["letta"], env, environment, forks=self._release.forks)
        nginx = Nginx(run, at["nginx"], at["letta"], Address(HOST, tls_port))
        members: tuple[Service, ...] = (postgres, redis, llm, nginx, letta)
        self._members = {member.name: member for member in members}
        self._second = LocalSecond(self._members, postgres, letta, self._ports)
        self.url, self.proxy_url, self.llm_url = letta.url, nginx.url, llm.url
        self.tls_url, self.ca_file = nginx.tls_url, nginx.ca_file
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
