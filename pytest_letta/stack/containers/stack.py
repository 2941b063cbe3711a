"""A stack whose services are containers: what the Docker and the compose provider do alike."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_letta.errors import ServiceError
from pytest_letta.stack import rows
from pytest_letta.stack.containers import apart, asking, reaper
from pytest_letta.stack.containers.engine import Engine
from pytest_letta.stack.containers.labels import labels_of
from pytest_letta.stack.containers.service import ContainerService
from pytest_letta.stack.managed import ManagedStack
from pytest_letta.stack.progress import Progress
from pytest_letta.stack.rundir import CONTAINERS, RunDir
from pytest_letta.stack.stack import ACTIONS, Execution
from pytest_letta.stack.waiting import wait_healthy


class ContainerStack(ManagedStack):
    """Services in containers, all labelled as of one run.

    Raises EngineError where no engine answers.
    """

    def __init__(self, *, run_dir: Path | None = None, keep: bool = False, progress: Progress | None = None) -> None:
        super().__init__(run_dir=run_dir, keep=keep, progress=progress)
        self.engine = Engine.connect()
        self.actions = ACTIONS if self.engine.can_pause else ACTIONS - {"pause"}
        self.run_id = ""
        self._labels: dict[str, str] = {}

    def partition(self, service: str) -> None:
        with self._lock:
            self._container(service).partition()

    def rejoin(self, service: str) -> None:
        with self._lock:
            member = self._container(service)
            member.rejoin()
            wait_healthy(member)

    def reload(self, service: str) -> None:
        if service != "nginx":
            raise self._refusal("reload", service)
        done = self.execute(service, ["nginx", "-s", "reload"])
        if done.exit_code != 0:
            raise ServiceError(f"{service} could not be reloaded: {' '.join(done.output.split())}")

    def recreate(self, service: str) -> None:
        with self._lock:
            member = self._container(service)
            member.recreate()
            wait_healthy(member)

    def hostname(self, service: str) -> str:
        return self._container(service).hostname

    def execute(self, service: str, command: Sequence[str]) -> Execution:
        return self._container(service).execute(command)

    def execute_apart(self, command: Sequence[str]) -> Execution:
        return apart.execute(self._container("letta").containers[0], command)

    def query(self, statement: str) -> list[dict[str, Any]]:
        # The statement is an argument, so that no shell reads it.
        psql = ["sh", "-c", f'{asking.PG_ENVIRONMENT}; psql "$@"', "psql"]
        return rows.read(self.execute("postgres", [*psql, *rows.arguments(statement)]))

    def _clear_old_runs(self) -> None:
        super()._clear_old_runs()
        reaper.reap(self.engine)

    def _let_go(self) -> None:
        """Do nothing: containers go on by themselves."""

    def _name_run(self, run: RunDir) -> None:
        """Choose the labels of everything that is made from now on, and note the run for the reaper."""
        self.run_id = run.id
        self._labels = labels_of(self.run_id, run.path, keep=self._keep)
        (run.path / CONTAINERS).write_text(self.run_id)

    def _container(self, service: str) -> ContainerService:
        member = self._member(service)
        assert isinstance(member, ContainerService)
        return member
