"""The Letta server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from pytest_letta.errors import ServiceError
from pytest_letta.stack.asking import ask
from pytest_letta.stack.forking import Zygote
from pytest_letta.stack.letta_env import LettaEnv
from pytest_letta.stack.model import SERVER_ENVIRONMENT
from pytest_letta.stack.postgres import Postgres
from pytest_letta.stack.process_service import ProcessService, plain_environment
from pytest_letta.stack.redis import Redis
from pytest_letta.stack.rundir import RunDir
from pytest_letta.stack.service import Address


class Letta(ProcessService):
    """The server, forked from a process that has imported it, or started cold.

    With `forks` false every start is a cold one, as it is when the zygote finds that it is not fit to fork.
    """

    name = "letta"
    start_limit_s = 120.0
    database: str | None = None  #: URI of a database other than that of the zygote

    def __init__(
        self, run: RunDir, address: Address, env: LettaEnv, environment: Mapping[str, str], *, forks: bool = True
    ) -> None:
        super().__init__(run, address)
        self.env = env
        self._forks = forks
        self._environment = environment
        self._zygote: Zygote | None = None

    def prepare(self) -> None:
        """Start importing the server, without waiting for that; nothing happens when that is under way or done."""
        if self._zygote is not None and not self._zygote.is_running:
            self._close_zygote()
        if self._forks and self._zygote is None:
            self._zygote = Zygote(self.run, self.env.python, self._environment, self.folder)

    def command(self) -> Sequence[str]:
        return [str(self.env.letta), *self._arguments()]

    def environment(self) -> Mapping[str, str]:
        return self._environment

    def launch(self, *, cold: bool = False) -> None:
        """Fork a server; where a fork would be no true restart, or with `cold`, start ``letta server`` itself."""
        if self.is_running:
            return
        zygote = None if cold else self.fit_zygote()
        if zygote is None:
            super().launch()
            return
        self._mark_log()
        pid_file = self.run.pid_file(self.name)
        pid_file.unlink(missing_ok=True)
        self.process = zygote.fork(self._arguments(), pid_file=pid_file, log=self.log, database=self.database)

    def fit_zygote(self) -> Zygote | None:
        """Return what servers are forked from, once it has imported; ``None`` where that would be no true start."""
        self.prepare()
        if self._zygote is not None and self._zygote.unfit_reason() is not None:
            self._forks = False
            self._close_zygote()
        return self._zygote

    def check(self, limit_s: float) -> str | None:
        # Health alone is 200 with a dead database: only a route that reads data tells.
        return ask(self.address, "/v1/health/", limit_s) or ask(
            self.address, "/v1/agents/?limit=1", limit_s, self._credentials()
        )

    def outlive_us(self) -> None:
        """Have the server go on when we end."""
        if self._zygote is not None and self._zygote.is_running:
            self._zygote.outlive_us()

    def end(self) -> None:
        """Kill the server and what it was forked from."""
        with suppress(ServiceError):
            self.kill()
        self._close_zygote()

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def _close_zygote(self) -> None:
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None

    def _arguments(self) -> list[str]:
        return ["server", "--host", self.address.host, "--port", str(self.address.port)]

    def _credentials(self) -> dict[str, str]:
        password = self._environment.get("LETTA_SERVER_PASSWORD")
        return {"Authorization": f"Bearer {password}"} if password else {}


class SecondLetta(Letta):
    """A server beside `first`, forked from the same process, on the database at `dsn`."""

    name = "letta-second"

    def __init__(self, first: Letta, address: Address, dsn: str) -> None:
        super().__init__(first.run, address, first.env, first.environment(), forks=False)
        self.database = _uri(dsn)
        own = {"HOME": str(self.folder), "TMPDIR": str(self.folder), "LETTA_DIR": str(self.folder / ".letta")}
        self._environment = {**first.environment(), **own, "LETTA_PG_URI": self.database}
        self._first = first

    def fit_zygote(self) -> Zygote | None:
        return self._first.fit_zygote()


def _uri(dsn: str) -> str:
    # With pooling on, a URI without sslmode means sslmode=require.
    return f"{dsn}?sslmode=disable"


def environment_of(
    run: RunDir, env: LettaEnv, postgres: Postgres, redis: Redis, llm_url: str, overrides: Mapping[str, str]
) -> dict[str, str]:
    """Return the whole environment of a server that uses these services; `overrides` wins."""
    folder = run.folder(Letta.name)
    plain = plain_environment(folder)
    return {
        **plain,
        # Tools run by the name `python`, which must be the server's own.
        "PATH": f"{env.python.parent}:{plain['PATH']}",
        "LETTA_DIR": str(folder / ".letta"),
        "LETTA_PG_URI": _uri(postgres.dsn),
        # Pooling halves the latency of a message.
        "LETTA_DISABLE_SQLALCHEMY_POOLING": "false",
        "LETTA_REDIS_HOST": redis.address.host,
        "LETTA_REDIS_PORT": str(redis.address.port),
        "OPENAI_API_KEY": "dummy",
        "OPENAI_API_BASE": f"{llm_url}/v1",
        **({"TIKTOKEN_CACHE_DIR": str(env.encodings)} if env.encodings else {}),
        **SERVER_ENVIRONMENT,
        "PYTHONUNBUFFERED": "1",
        **overrides,
    }
