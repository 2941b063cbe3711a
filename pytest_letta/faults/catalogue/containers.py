"""Faults of names, addresses and volumes that only a stack of containers can have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from pytest_letta.errors import ServiceError
from pytest_letta.faults.catalogue import containers_apart
from pytest_letta.faults.catalogue.memory_rows import DETACHED, EMPTIED
from pytest_letta.faults.fault import CataloguedFault, Match
from pytest_letta.faults.rest import change_status
from pytest_letta.faults.stack import Mischief, StackFault, State, run_sql
from pytest_letta.stack.stack import Stack

_PAGE = b"<html><body><h1>We will be back soon</h1></body></html>"
_CONF = "/etc/nginx/conf.d/default.conf"
_WRITE = 'printf %s "$2" > "$1"'
# Until the workers of before have gone they answer as before. The first process of the container is their parent.
_RELOAD = """
workers=$(grep -ls '^PPid:[[:space:]]*1$' /proc/[0-9]*/status)
nginx -s reload
for tenth in $(seq 100); do [ "$(ls $workers 2>/dev/null)" ] || break; sleep 0.1; done
"""
_TURN = Match("POST", "/v1/agents/agent-[^/]+/messages$")


def _executed(stack: Stack, service: str, *command: str) -> str:
    done = stack.execute(service, command)
    if done.exit_code != 0:
        raise ServiceError(f"{' '.join(command[:3])} in {service} ended with {done.exit_code}: {done.output}")
    return done.output


def _write(stack: Stack, service: str, path: str, text: str) -> None:
    _executed(stack, service, "sh", "-c", _WRITE, "sh", path, text)


def _name_leads_to(service: str, to: str) -> State:
    """Have the server's own file of hosts lead the name of `service` to the service `to`, or to an address."""

    @contextmanager
    def during(stack: Stack) -> Iterator[None]:
        hosts = _executed(stack, "letta", "cat", "/etc/hosts")
        is_service = to in stack.services
        address = _executed(stack, to, "hostname", "-i").split()[0] if is_service else to
        _write(stack, "letta", "/etc/hosts", f"{hosts}{address} {stack.hostname(service)}\n")
        try:
            yield
        finally:
            _write(stack, "letta", "/etc/hosts", hosts)

    return during


def _second_container_named_as(service: str) -> State:
    """Start a container with the name of `service` on the network of the stack, as a second stack there does."""

    @contextmanager
    def during(stack: Stack) -> Iterator[None]:
        from pytest_letta.stack.containers.engine import Engine

        engine = Engine.connect()
        twin = engine.client.containers.get(_executed(stack, service, "hostname").strip())
        (name,) = twin.attrs["NetworkSettings"]["Networks"]
        other = engine.client.containers.create(
            str(twin.attrs["Image"]), ["600"], entrypoint=["sleep"], labels=twin.labels
        )
        try:
            engine.client.networks.get(name).connect(other, aliases=[stack.hostname(service)])
            other.start()
            yield
        finally:
            other.remove(force=True, v=True)
            engine.close()

    return during


def _configured(old: str, new: str) -> State:
    """Have nginx run with another configuration: what `old` was in it is `new`."""

    @contextmanager
    def during(stack: Stack) -> Iterator[None]:
        right = _executed(stack, "nginx", "cat", _CONF)
        if old not in right:
            raise ValueError(f"{_CONF} has no {old!r}")
        wrong = right.replace(old, new)
        with _restored(stack, right):
            _configure(stack, wrong)
            yield

    return during


@contextmanager
def _with_its_configuration(stack: Stack) -> Iterator[None]:
    with _restored(stack, _executed(stack, "nginx", "cat", _CONF)):
        yield


@contextmanager
def _restored(stack: Stack, configuration: str) -> Iterator[None]:
    try:
        yield
    finally:
        _configure(stack, configuration)


def _configure(stack: Stack, text: str) -> None:
    _write(stack, "nginx", _CONF, text)
    _executed(stack, "nginx", "sh", "-c", _RELOAD)


def _forget_configuration(stack: Stack) -> None:
    _configure(stack, "server { listen 8284; location = /nginx-health { return 200; } }\n")


def _away(service: str) -> Mischief:
    """Take `service` off the network, again if need be."""
    return lambda stack: stack.partition(service)


def _back(service: str) -> Mischief:
    return lambda stack: stack.rejoin(service)


def _back_at_the_end(service: str) -> State:
    def during(stack: Stack) -> AbstractContextManager[object]:
        return _rejoining(stack, service)

    return during


@contextmanager
def _rejoining(stack: Stack, service: str) -> Iterator[None]:
    try:
        yield
    finally:
        stack.rejoin(service)


_NAMES = (
    StackFault(
        name="redis-is-looked-for-inside-the-server",
        kills=("NET-NAME-001", "NET-NAME-002"),
        reason=r"LETTA_REDIS_HOST \(letta-redis:6379: .*refused|letta-redis leads to 127\.0\.0\.1; its",
        during=_name_leads_to("redis", "127.0.0.1"),
    ),
    StackFault(
        name="name-of-the-server-is-the-proxy's",
        kills=("NET-NAME-002", "NET-NAME-003[letta]"),
        reason="letta-server leads to .*its container is at|health under the name of letta: expected",
        during=_name_leads_to("letta", "nginx"),
    ),
    StackFault(
        name="two-stacks-on-one-network",
        kills=("NET-NAME-002",),
        reason="letta-llm leads to .* and .*its container is at",
        during=_second_container_named_as("llm"),
    ),
    StackFault(
        name="proxy-knows-its-public-name-only",
        kills=("NET-NAME-003[nginx]",),
        reason="health under the name of nginx: expected .*404",
        during=_configured("location / {", "location / { if ($host = letta-nginx) { return 404; }"),
    ),
)

_RECREATE = (
    StackFault(
        name="proxy-keeps-the-old-address",
        kills=("NET-RECREATE-001",),
        reason="after the server was back in a new container, by the proxy, .* answered 50[24]",
        during=_configured("proxy_pass http://$letta;", "proxy_pass http://letta-server:8283;"),
    ),
    StackFault(
        name="configuration-of-the-proxy-was-in-its-container",
        kills=("NET-RECREATE-002",),
        reason="after the proxy was back in a new container, .* answered 404",
        during=_with_its_configuration,
        after={"recreate": _forget_configuration},
    ),
    StackFault(
        name="redis-comes-back-on-no-network",
        kills=("NET-RECREATE-003",),
        reason="after Redis was back in a new container, .* answered 500",
        during=_back_at_the_end("redis"),
        after={"recreate": _away("redis")},
    ),
    StackFault(
        name="new-container-has-an-empty-volume",
        kills=("MEM-RECREATE-001[letta]", "MEM-RECREATE-001[postgres]", "MEM-RECREATE-002"),
        reason="answered 404",
        after={"recreate": run_sql(EMPTIED)},
    ),
    StackFault(
        name="new-container-has-lost-attachments",
        kills=("MEM-RECREATE-001[postgres]",),
        reason="(agent|blocks) after a new container of postgres: ",
        after={"recreate": run_sql(DETACHED)},
    ),
)

_PARTITION = (
    CataloguedFault(
        name="database-that-is-away-is-empty",
        kills=("NET-PARTITION-001",),
        reason=r"with the database cut off, .*agents of its name: GET \S+ answered 200: \[\]",
        make=lambda: change_status(200, only=500, body=b"[]", on=Match("GET")),
    ),
    CataloguedFault(
        name="agent-is-not-found-in-a-database-that-is-away",
        kills=("NET-PARTITION-001",),
        reason="with the database cut off, the agent: .* answered 404",
        make=lambda: change_status(404, only=500, on=Match("GET", "/v1/agents/agent-[^/]+$")),
    ),
    StackFault(
        name="database-is-not-found-again",
        kills=("NET-PARTITION-002", "MEM-PARTITION-002"),
        reason="after the database was back, .* answered 500|POST .* answered 500",
        during=_back_at_the_end("postgres"),
        after={"rejoin": _away("postgres")},
    ),
    StackFault(
        name="redis-is-not-found-again",
        kills=("NET-PARTITION-003",),
        reason="after Redis was back, .* answered 500",
        during=_back_at_the_end("redis"),
        after={"rejoin": _away("redis")},
    ),
    StackFault(
        name="memory-needs-redis",
        kills=("NET-PARTITION-004",),
        reason="answered 500",
        during=_back_at_the_end("postgres"),
        after={"partition": _away("postgres"), "rejoin": _back("postgres")},
    ),
    CataloguedFault(
        name="proxy-shows-a-page-of-maintenance",
        kills=("NET-PARTITION-006",),
        reason=r"answered 200: .*\(expected 502 or 503 or 504\)",
        make=lambda: change_status(200, only=(502, 503, 504), body=_PAGE),
        via="proxy",
    ),
    StackFault(
        name="server-is-not-found-again",
        kills=("NET-PARTITION-006",),
        reason="after the server was back, by the proxy, .* answered 50[24]",
        during=_back_at_the_end("letta"),
        after={"rejoin": _away("letta")},
    ),
    CataloguedFault(
        name="lost-turn-is-acknowledged",
        kills=("MEM-PARTITION-001",),
        reason="history after a turn that was acknowledged with 200 does not contain",
        make=lambda: change_status(200, only=500, body=b"{}", on=_TURN),
    ),
)

FAULTS: tuple[CataloguedFault | StackFault, ...] = (*_NAMES, *containers_apart.FAULTS, *_RECREATE, *_PARTITION)
