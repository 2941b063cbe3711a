"""Postgres with pgvector."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from pytest_letta.errors import ServiceError, StackError
from pytest_letta.stack import shared_memory, sql, wheels
from pytest_letta.stack.account import Account, account_for_postgres
from pytest_letta.stack.copying import copy_tree
from pytest_letta.stack.process_service import ProcessService, as_user, plain_environment
from pytest_letta.stack.rundir import RunDir
from pytest_letta.stack.service import Address

USER = PASSWORD = DATABASE = "letta"

_DATA = "data"
_PROBE_LIMIT_S = 5.0
_INITDB_LIMIT_S = 120.0

# The data is thrown away, so nothing has to survive a loss of power: no fsync, no full pages. synchronous_commit
# stays on: what a client was told is committed has then been written to the kernel, which keeps it when Postgres is
# killed. With it off, a kill would lose up to 600 ms of acknowledged commits, and we would blame Letta for it.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "on",
    "max_connections": "200",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres(ProcessService):
    """Postgres 16 in `folder`/data, with the user, password and database ``letta``.

    Under root it runs as another user, since it refuses to run as root.
    """

    # "Fast": ends the sessions of clients and writes a checkpoint.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    def __init__(self, run: RunDir, address: Address, name: str = "postgres") -> None:
        super().__init__(run, address)
        self.name = name
        self.account: Account | None = account_for_postgres()
        self.home = wheels.postgres_home()
        self._readable_home: Path | None = None

    @property
    def data(self) -> Path:
        return self.folder / _DATA

    @property
    def dsn(self) -> str:
        """The address as a libpq URI, without ``sslmode``: pg8000, which the migrations use, refuses that."""
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        """Return the same for another database."""
        return f"postgresql://{USER}:{PASSWORD}@{self.address}/{database}"

    def beside(self, address: Address, name: str) -> Postgres:
        """Return another one, without data, that uses the same programs."""
        other = Postgres(self.run, address, name)
        other._readable_home = self._readable_home
        return other

    def command(self) -> Sequence[str]:
        settings = _SETTINGS | {"listen_addresses": self.address.host, "port": str(self.address.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self._binary("postgres")), "-D", str(self.data), *options]

    def environment(self) -> Mapping[str, str]:
        return plain_environment(self.folder)

    def check(self, limit_s: float) -> str | None:
        return self.ask("select 1", "postgres", limit_s)

    def end(self) -> None:
        """End at once, without a checkpoint; unlike a kill this leaves no shared memory segment behind."""
        self.stop(signal.SIGQUIT)
        # That of an earlier kill. Somebody may have ended us and removed the folder, which is not to come back.
        shared_memory.release(self.run.path / self.name / _DATA)

    def ask(self, statement: str, database: str, limit_s: float) -> str | None:
        """Run `statement` over a new connection: ``None`` when it succeeds, else what was said."""
        address = self.address
        try:
            done = subprocess.run(
                [
                    self.home / "bin" / "psql",
                    "-XAtq",
                    "-v",
                    "ON_ERROR_STOP=1",
                    "-h",
                    address.host,
                    "-p",
                    str(address.port),
                    "-U",
                    USER,
                    "-d",
                    database,
                    "-c",
                    statement,
                ],
                env=dict(self.environment()) | {"PGPASSWORD": PASSWORD},
                capture_output=True,
                text=True,
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"none within {limit_s:.1f} s"
        return None if done.returncode == 0 else " ".join(done.stderr.split())

    def run_script(self, script: str) -> str:
        """Run a shell script with our tools, as `sql` says; raise ServiceError with what a failing one said."""
        connection = sql.connection(self.address.host, str(self.address.port), USER, PASSWORD, DATABASE)
        plain = dict(self.environment())
        done = subprocess.run(
            ["/bin/sh", "-c", script],
            env={**plain, **connection, "PATH": f"{self.home / 'bin'}:{plain['PATH']}"},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=sql.LIMIT_S,
            check=False,
        )
        if done.returncode != 0:
            raise ServiceError(f"{self.name} refused: {' '.join(done.stderr.split())}")
        return done.stdout

    def initialise(self) -> None:
        """Make an empty data folder; raise StackError when initdb fails."""
        self._check_reach()
        password = self.folder / "password"
        password.write_text(PASSWORD)
        if self.account is not None:
            os.chown(password, self.account.uid, self.account.gid)
        done = subprocess.run(
            [
                self._binary("initdb"),
                "-D",
                self.data,
                "-U",
                USER,
                "--pwfile",
                password,
                "-A",
                "scram-sha-256",
                "-E",
                "UTF8",
                "--locale",
                "C.UTF-8",
                "--no-sync",
                "--no-instructions",
                # Segments of 1 MiB, not 16: the cached copy and each start's copy of it stay small.
                "--wal-segsize",
                "1",
            ],
            env=dict(self.environment()),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=_INITDB_LIMIT_S,
            check=False,
            **as_user(self.account),
        )
        if done.returncode != 0:
            reason = " ".join(done.stderr.split())
            remedy = " Free some, or set TMPDIR to a folder on another disk." if "No space left" in reason else ""
            raise StackError(f"initdb failed: {reason}.{remedy}")

    def adopt(self, template: Path) -> None:
        """Take a copy of the data folder `template`; raise StackError when Postgres could not reach it."""
        self._check_reach()
        copy_tree(template, self.data, self.account)

    def _check_reach(self) -> None:
        if self.account is not None:
            there = ["/bin/sh", "-c", 'cd "$0"', str(self.folder)]
            if subprocess.run(there, env={}, cwd="/", capture_output=True, **as_user(self.account)).returncode != 0:
                raise StackError(
                    f"the user {self.account.name}, as whom Postgres runs under root, cannot enter {self.folder}: "
                    "set TMPDIR to a folder that every user can enter, such as /tmp."
                )

    def _binary(self, name: str) -> Path:
        if self._readable_home is None:
            self._readable_home = self.home if self._can_run(self.home) else self._copied_home()
        return self._readable_home / "bin" / name

    def _can_run(self, home: Path) -> bool:
        if self.account is None:
            return True
        try:
            probe = subprocess.run(
                [home / "bin" / "postgres", "--version"],
                env={},
                cwd="/",
                capture_output=True,
                timeout=_PROBE_LIMIT_S,
                check=False,
                **as_user(self.account),
            )
        except PermissionError:
            return False
        return probe.returncode == 0

    def _copied_home(self) -> Path:
        """Copy what a server needs to where the other user can read it; a folder under /root is closed to it."""
        place = self.run.path / "postgres-home"
        place.mkdir(mode=0o711)
        copied = place / self.home.parent.name / self.home.name
        for part in ("lib/postgresql", "share/postgresql"):
            copy_tree(self.home / part, copied / part, without="pgxs")
        (copied / "bin").mkdir()
        for name in ("postgres", "initdb"):
            shutil.copy2(self.home / "bin" / name, copied / "bin" / name)
        # The binaries look for the libraries that the wheel brings relative to themselves.
        libraries = self.home.parent.with_name(self.home.parent.name + ".libs")
        if libraries.exists():
            copy_tree(libraries, place / libraries.name)
        return copied
