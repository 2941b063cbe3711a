"""A second server beside the first: what the providers do alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from pytest_letta.errors import StackError
from pytest_letta.parsing import did_you_mean
from pytest_letta.stack import sql
from pytest_letta.stack.service import Service
from pytest_letta.stack.stack import DATABASES, SecondServer
from pytest_letta.stack.waiting import wait_healthy

#: What a second server is called among the services, and the Postgres that it may have for itself.
LETTA, POSTGRES = "letta-second", "postgres-second"


class Second(ABC):
    """Starts and ends the second server of a stack, one at a time.

    `members` are the services of the stack; those of the second server are among them while it runs, so that they end
    with the stack at the latest. `run_script` runs the tools of Postgres (see `sql`), with which `make_empty` makes a
    database without rows.
    """

    def __init__(
        self, members: dict[str, Service], run_script: sql.RunScript, make_empty: Callable[[sql.RunScript], None]
    ) -> None:
        self._members = members
        self._run_script = run_script
        self._make = {"empty": make_empty, "dump": sql.restore_second}
        self._has_database = False

    def start(self, database: str) -> SecondServer:
        """Do what `Stack.start_second` says; nothing is left when it raises."""
        if database not in DATABASES:
            asked = f"a second server is on one of {', '.join(DATABASES)}, not on {database!r}"
            raise StackError(f"{asked}{did_you_mean(database, DATABASES)}")
        self.stop()
        try:
            dsn, letta = self._prepared(database)
            self._members[LETTA] = letta
            letta.launch()
            wait_healthy(letta)
        except BaseException:
            self.stop()
            raise
        return SecondServer(database, f"http://{letta.address}", dsn)

    def stop(self) -> None:
        """End the second server and remove what was made for it."""
        if letta := self._members.pop(LETTA, None):
            letta.end()
        if postgres := self._members.pop(POSTGRES, None):
            postgres.end()
            self._remove_data(postgres)
        if self._has_database and self._members["postgres"].is_running:
            sql.drop_second(self._run_script)
        self._has_database = False

    def _prepared(self, database: str) -> tuple[str, Service]:
        if database == "copy":
            return self._server(self._copied(), None)
        if database == "same":
            return self._server(self._members["postgres"], None)
        self._has_database = True
        self._make[database](self._run_script)
        return self._server(self._members["postgres"], sql.SECOND)

    def _copied(self) -> Service:
        """Return a healthy Postgres on a copy of the first one's data, taken while that was stopped."""
        first = self._members["postgres"]
        second = self._members[POSTGRES] = self._further_postgres()
        if not first.stop():
            raise StackError("Postgres did not end in order, so that no cold copy of its data can be taken.")
        try:
            self._copy_data(first, second)
        finally:
            first.launch()
            wait_healthy(first)
        second.launch()
        wait_healthy(second)
        return second

    @abstractmethod
    def _server(self, postgres: Service, database: str | None) -> tuple[str, Service]:
        """Return the server for a database, ``None`` being the stack's own name for one, and where we reach that."""

    @abstractmethod
    def _further_postgres(self) -> Service:
        """Return a further Postgres, which has no data yet."""

    @abstractmethod
    def _copy_data(self, first: Service, second: Service) -> None:
        """Give the second Postgres a copy of the data of the first; neither runs."""

    @abstractmethod
    def _remove_data(self, second: Service) -> None:
        """Remove the data of the second Postgres, which has ended."""
