"""The compose provider: an isolated copy of the services of the user's own compose file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from pytest_letta.compose.bindings import Binder
from pytest_letta.compose.file import image_of
from pytest_letta.compose.isolation import Wishes, isolate, refuse, replicas
from pytest_letta.compose.reaching import inner_ports
from pytest_letta.compose.server import database_uri, password_of
from pytest_letta.errors import ComposeFileError, EngineError, ServiceError
from pytest_letta.stack.containers import asking, ryuk
from pytest_letta.stack.containers.blueprints import MODEL_ENVIRONMENT, model
from pytest_letta.stack.containers.compose_service import ComposeService
from pytest_letta.stack.containers.images import ensure
from pytest_letta.stack.containers.project import Project
from pytest_letta.stack.containers.service import ContainerService
from pytest_letta.stack.containers.stack import ContainerStack
from pytest_letta.stack.containers.testcontainer import TestcontainerService
from pytest_letta.stack.ports import PortChooser, consecutive_ports
from pytest_letta.stack.progress import Progress
from pytest_letta.stack.rundir import RunDir
from pytest_letta.stack.service import Address, Service
from pytest_letta.stack.waiting import wait_healthy

if TYPE_CHECKING:
    from pytest_letta.compose.file import ComposeFile

_ROLES = ("postgres", "redis", "letta", "nginx")


class ComposeStack(ContainerStack):
    """The services of `file` under names, ports, volumes and networks of this run alone.

    ``services`` are the roles that were recognised, ``llm``, and the other services by their own names. With
    `scripted`, Letta uses the scripted model in place of its providers. `letta_env` is put over Letta's environment.
    `token` is the password that the server asks for; ``None`` stands for the one in the file. `without` names
    services that are left out. `ports` chooses free ports in a row. ``notes`` tells what the copy has in the place of
    mounts.

    Raises ComposeFileError for a file that cannot be made private, and StackErrors; nothing is left then.
    """

    provider: ClassVar[str] = "compose"

    def __init__(
        self,
        file: ComposeFile,
        *,
        run_dir: Path | None = None,
        without: frozenset[str] = frozenset(),
        scripted: bool = True,
        letta_env: Mapping[str, str] = MappingProxyType({}),
        token: str | None = None,
        keep: bool = False,
        progress: Progress | None = None,
        ports: PortChooser = consecutive_ports,
    ) -> None:
        refuse(file, without)
        super().__init__(run_dir=run_dir, keep=keep, progress=progress)
        self._file = file
        self._without = without
        self._scripted = scripted
        self._letta_env = dict(letta_env)
        self._token = password_of(file) if token is None else token
        self._ports = ports
        self.notes: tuple[str, ...] = ()
        started = [name for name in file.services if name not in without]
        self._names = {role: file.roles[role] for role in _ROLES if file.roles.get(role) in started}
        if "letta" not in self._names:
            raise ComposeFileError(f"{file.path}: without={file.roles['letta']} leaves out Letta itself.")
        self._names |= {name: name for name in started if name not in self._names.values()}
        self.services = (*self._names, "llm") if scripted else tuple(self._names)
        self.actions -= {"second"} if "postgres" in self._names else {"second", "query"}
        self.actions -= set() if "nginx" in self._names else {"reload"}

    def replicas(self, service: str) -> tuple[Address, ...]:
        member = self._member(service)
        return tuple(member.replicas()) if isinstance(member, ComposeService) else (member.address,)

    def _start_all(self, run: RunDir) -> None:
        self._name_run(run)
        ryuk.choose(self.engine, keep=self._keep)
        inside = inner_ports(self._file, self._names)
        publish, model_port = self._chosen_ports(inside)
        self._say_where(publish)
        project_name = f"pytest-letta-{self.run_id}"
        network = f"{project_name}-model"
        binder = Binder(run.folder("mounts"))
        wishes = Wishes(
            project=project_name,
            labels=ryuk.labelled(self._labels),
            publish_ip=self.engine.publish_ip,
            publish={self._names[role]: {inside[role]: numbers} for role, numbers in publish.items()},
            environment={**(MODEL_ENVIRONMENT if self._scripted else {}), **self._letta_env},
            networks=[network] if self._scripted else [],
            without=self._without,
        )
        private = isolate(self._file, wishes, binder)
        self.notes = tuple(binder.notes)
        for note in self.notes:
            with self._progress.step(note):
                pass
        self._refuse_mounts_far_away(private)
        project = Project(self.engine, project_name, private, folder=self._file.path.parent, run=run.path)
        if self._scripted:
            self._start_model(project, private, network, model_port)
        with self._progress.step(f"starting {self._file.path.name}") as tell:
            # One Letta alone first: several that migrate an empty database at once end each other.
            project.up(one_of=self._names["letta"], tell=tell)
            if self._count("letta") > 1:
                project.up(tell=tell)
        for name, service in self._names.items():
            made = self._member_of(name, service, publish, inside, project)
            made.adopt()
            self._members[name] = made
        for name, member in self._members.items():
            with self._progress.step(f"waiting for {name}"):
                self._wait(name, member)

    def _chosen_ports(self, roles: Iterable[str]) -> tuple[dict[str, list[int]], int]:
        """Return a port for each replica of `roles`, those of a service in a row, and one for the model.

        All come out of one row: rows that are chosen one after the other could overlap.
        """
        counts = {role: self._count(role) for role in roles}
        row = iter(self._ports(sum(counts.values()) + 1))
        return {role: list(islice(row, count)) for role, count in counts.items()}, next(row)

    def _wait(self, name: str, member: Service) -> None:
        """Wait until a service is healthy; one of the owner's own may also have done its work and ended."""
        if name in _ROLES or not isinstance(member, ComposeService):
            wait_healthy(member)
        elif not member.has_finished:
            try:
                wait_healthy(member)
            except ServiceError as error:
                advice = f"leave it out with --letta-compose-service without={name}, if Letta can do without it"
                raise ServiceError(f"{error}\n({advice})") from error

    def _say_where(self, publish: Mapping[str, Any]) -> None:
        at = {role: Address(self.engine.host, numbers[0]) for role, numbers in publish.items()}
        self.url = f"http://{at['letta']}"
        self.proxy_url = f"http://{at['nginx']}" if "nginx" in at else None
        uri = database_uri(self._file)
        if "postgres" in at and uri is not None:
            who = f"{quote(uri.user, safe='')}:{quote(uri.password, safe='')}"
            self.postgres_dsn = f"postgresql://{who}@{at['postgres']}/{uri.database}"

    def _start_model(self, project: Project, private: Mapping[str, Any], network: str, port: int) -> None:
        """Start the scripted model before Letta, from Letta's own image, on a network that both are on."""
        letta = private["services"][self._names["letta"]]
        if "build" in letta:
            with self._progress.step("building images") as tell:
                project.build(tell)
        else:
            ensure(self.engine, "letta", letta["image"], self._progress)
        member = TestcontainerService(
            "llm",
            model(letta["image"]),
            Address(self.engine.host, port),
            ryuk.network(network, self._labels),
            publish_ip=self.engine.publish_ip,
            run=self.run_id,
            labels=self._labels,
        )
        self._members["llm"] = member
        self.llm_url = f"http://{member.address}"
        with self._progress.step("starting llm"):
            member.launch()
            wait_healthy(member)

    def _member_of(
        self, name: str, service: str, publish: Mapping[str, Any], inside: Mapping[str, int], project: Project
    ) -> ComposeService:
        published = [port.target for port in self._file.ports(service)]
        return ComposeService(
            name,
            Address(self.engine.host, publish[name][0] if name in publish else 0),
            service,
            self._question(name) if name != "nginx" or name in publish else _ask_nothing,
            engine=self.engine,
            project=project.name,
            port=inside.get(name, published[0] if published else None),
            up=project.up,
        )

    def _question(self, name: str) -> asking.Question:
        if name == "letta":
            return asking.letta(self._token)
        if name == "nginx":
            return asking.any_of("/nginx-health", "/v1/health/")
        return {"postgres": asking.postgres, "redis": asking.redis}.get(name, _ask_nothing)

    def _count(self, role: str) -> int:
        return replicas(self._file.services[self._names[role]])

    def _refuse_mounts_far_away(self, private: Mapping[str, Any]) -> None:
        binds = [
            name for name, body in private["services"].items() for one in body["volumes"] if one["type"] == "bind"
        ]
        if self.engine.is_remote and binds:
            raise EngineError(
                f"{self._file.path}: {binds[0]} mounts files of this machine, which the engine at {self.engine.host} "
                "cannot see: use an engine on this machine (DOCKER_HOST), or build the files into an image."
            )

    @property
    def image(self) -> str:
        """Repository and tag of Letta's image, as the file names it."""
        return ":".join(part for part in image_of(self._file.letta) if part)


def _ask_nothing(service: ContainerService, limit_s: float) -> None:
    """Ask an application nothing: what it must answer is its owner's to say, in a health check."""
