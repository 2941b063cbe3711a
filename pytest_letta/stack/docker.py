"""The Docker provider: a whole stack in containers of the images that Letta's users run."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from types import MappingProxyType
from typing import ClassVar

from pytest_letta.stack.certificate import make_certificate
from pytest_letta.stack.containers import ryuk
from pytest_letta.stack.containers.blueprints import Blueprint, blueprints, database_uri
from pytest_letta.stack.containers.images import ensure, references
from pytest_letta.stack.containers.second import DockerSecond
from pytest_letta.stack.containers.stack import ContainerStack
from pytest_letta.stack.containers.testcontainer import TestcontainerService
from pytest_letta.stack.ports import HOST, PortChooser, free_ports
from pytest_letta.stack.progress import Progress
from pytest_letta.stack.releases import DEFAULT_VERSION
from pytest_letta.stack.rundir import RunDir
from pytest_letta.stack.service import Address
from pytest_letta.stack.stack import SERVICES
from pytest_letta.stack.waiting import wait_healthy


class DockerStack(ContainerStack):
    """Postgres, Redis, the scripted model, Letta and nginx on a network of their own.

    `version` is the tag of Letta's image; `images` names other images, by tag or digest, for some of the services.
    `letta_env` is put over the environment of the server. `token` is the password that the server was given there.
    Ports are published on the loopback address, Redis not at all; a remote engine publishes on all its addresses.
    Raises EngineError, ImageError and other StackErrors; nothing is left then.
    """

    provider: ClassVar[str] = "docker"
    services = SERVICES

    def __init__(
        self,
        version: str = DEFAULT_VERSION,
        *,
        run_dir: Path | None = None,
        images: Mapping[str, str] = MappingProxyType({}),
        letta_env: Mapping[str, str] = MappingProxyType({}),
        token: str | None = None,
        keep: bool = False,
        progress: Progress | None = None,
        ports: PortChooser = free_ports,
    ) -> None:
        super().__init__(run_dir=run_dir, keep=keep, progress=progress)
        self.version = version
        self._images = references(version, images)
        self._letta_env = dict(letta_env)
        self._token = token
        self._ports = ports

    def _start_all(self, run: RunDir) -> None:
        for service, reference in self._images.items():
            ensure(self.engine, service, reference, self._progress)
        self._name_run(run)
        ryuk.choose(self.engine, keep=self._keep)
        password = secrets.token_urlsafe(12)
        certificate = make_certificate(sorted({self.engine.host, HOST, "localhost", "letta-nginx"}))
        certificate.write(run.folder("tls"))
        plans = blueprints(
            self._images,
            password=password,
            letta_env=self._letta_env,
            token=self._token,
            certificate=certificate,
        )
        self._network = ryuk.network(f"pytest-letta-{self.run_id}", self._labels)
        self._members = dict(self._planned(plans))
        self._second = DockerSecond(
            self._members,
            engine=self.engine,
            plans=plans,
            make=lambda name, plan: self._service(name, plan, self._ports(1)[0]),
            labels=self._labels,
        )
        at = {name: member.address for name, member in self._members.items()}
        self.url, self.proxy_url, self.llm_url = (f"http://{at[name]}" for name in ("letta", "nginx", "llm"))
        self.tls_url, self.ca_file = f"https://{self._tls}", str(run.folder("tls") / "authority.pem")
        self.postgres_dsn = database_uri(password, str(at["postgres"]))
        self._start_members()

    def _start_members(self) -> None:
        given_up = Event()
        with ThreadPoolExecutor(len(SERVICES)) as pool:
            try:
                # Letta migrates as soon as it runs, so it waits for its database; the others wait for nobody.
                starts = [pool.submit(self._start, name, given_up) for name in SERVICES if name != "letta"]
                starts[0].result()
                starts.append(pool.submit(self._start, "letta", given_up))
                for start in starts:
                    start.result()
            except BaseException:
                given_up.set()  # else Ctrl-C would wait until all of them are healthy
                raise

    def _planned(self, plans: Mapping[str, Blueprint]) -> list[tuple[str, TestcontainerService]]:
        *ports, tls_port = self._ports(len(plans) + 1)
        self._tls = Address(self.engine.host, tls_port)
        members = []
        for (name, plan), port in zip(plans.items(), ports, strict=True):
            member = self._service(name, plan, port)
            if plan.volume is not None:
                self.engine.client.volumes.create(member.volume_name, labels=ryuk.labelled(self._labels))
            members.append((name, member))
        return members

    def _service(self, name: str, plan: Blueprint, port: int) -> TestcontainerService:
        return TestcontainerService(
            name,
            plan,
            Address(self.engine.host, port),
            self._network,
            publish_ip=self.engine.publish_ip,
            run=self.run_id,
            labels=self._labels,
            tls=self._tls,
        )

    def _start(self, name: str, given_up: Event) -> None:
        member = self._members[name]
        with self._progress.step(f"starting {name}"):
            member.launch()
            wait_healthy(member, given_up)
