"""A second server of the Docker provider: containers, a database or a volume more on the network of the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import docker.errors

from pytest_letta.errors import ServiceError
from pytest_letta.stack import sql
from pytest_letta.stack.containers import asking, ryuk
from pytest_letta.stack.containers.blueprints import DATABASE, database_uri
from pytest_letta.stack.containers.testcontainer import TestcontainerService
from pytest_letta.stack.second import LETTA, POSTGRES, Second
from pytest_letta.stack.service import Service

if TYPE_CHECKING:
    from pytest_letta.stack.containers.blueprints import Blueprint
    from pytest_letta.stack.containers.engine import Engine

_COPY = "cp -a /from/. /to/"

#: Makes a service of a blueprint, at a free port, on the network and with the labels of the run.
Make = Callable[[str, "Blueprint"], TestcontainerService]


class DockerSecond(Second):
    """The second server of a stack that is made by `plans`."""

    def __init__(
        self,
        members: dict[str, Service],
        *,
        engine: Engine,
        plans: Mapping[str, Blueprint],
        make: Make,
        labels: Mapping[str, str],
    ) -> None:
        super().__init__(members, self._run, sql.make_second_bare)  # the image migrates it
        self._engine = engine
        self._plans = plans
        self._make_service = make
        self._labels = dict(labels)

    def _run(self, script: str) -> str:
        postgres = self._members["postgres"]
        assert isinstance(postgres, TestcontainerService)
        done = postgres.execute(["sh", "-c", f"{asking.PG_ENVIRONMENT}; {script}"])
        if done.exit_code != 0:
            raise ServiceError(f"postgres refused: {' '.join(done.output.split())}")
        return done.output

    def _server(self, postgres: Service, database: str | None) -> tuple[str, Service]:
        assert isinstance(postgres, TestcontainerService)
        name = database or DATABASE
        password = self._plans["postgres"].environment["POSTGRES_PASSWORD"]
        plan = self._plans["letta"]
        uri = database_uri(password, postgres.hostname, name)
        second = replace(
            plan, hostname=f"{plan.hostname}-second", environment={**plan.environment, "LETTA_PG_URI": uri}
        )
        return database_uri(password, str(postgres.address), name), self._make_service(LETTA, second)

    def _further_postgres(self) -> Service:
        plan = self._plans["postgres"]
        second = self._make_service(POSTGRES, replace(plan, hostname=f"{plan.hostname}-second"))
        self._engine.client.volumes.create(second.volume_name, labels=ryuk.labelled(self._labels))
        return second

    def _copy_data(self, first: Service, second: Service) -> None:
        assert isinstance(first, TestcontainerService)
        assert isinstance(second, TestcontainerService)
        copier = self._engine.client.containers.create(
            self._plans["postgres"].image,
            ["-c", _COPY],
            entrypoint=["sh"],
            user="root",
            labels=self._labels,
            healthcheck={"test": ["NONE"]},
            volumes={
                first.volume_name: {"bind": "/from", "mode": "ro"},
                second.volume_name: {"bind": "/to", "mode": "rw"},
            },
        )
        try:
            copier.start()
            code = copier.wait(timeout=sql.LIMIT_S)["StatusCode"]
            if code != 0:
                said = copier.logs().decode(errors="replace").strip()
                raise ServiceError(f"the volume {first.volume_name} could not be copied: {said}")
        finally:
            copier.remove(force=True, v=True)

    def _remove_data(self, second: Service) -> None:
        assert isinstance(second, TestcontainerService)
        with suppress(docker.errors.NotFound):
            self._engine.client.volumes.get(second.volume_name).remove()
