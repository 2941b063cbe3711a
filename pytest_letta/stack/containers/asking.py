"""What each service in a container is asked to tell whether it is healthy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_letta.errors import ServiceError
from pytest_letta.stack import asking

if TYPE_CHECKING:
    from pytest_letta.stack.containers.service import ContainerService

#: Asks a service within some seconds: ``None`` when the answer is right, else what came.
Question = Callable[["ContainerService", float], str | None]

# The image's own variables, so that any user and database are found; over TCP, because while the image sets itself
# up a temporary server listens on the socket alone.
PG_ENVIRONMENT = (
    "export PGHOST=127.0.0.1 PGPORT=5432 PGUSER=${POSTGRES_USER:-postgres} "
    "PGDATABASE=${POSTGRES_DB:-${POSTGRES_USER:-postgres}} "
    "PGPASSWORD=${POSTGRES_PASSWORD:-$(cat ${POSTGRES_PASSWORD_FILE:-/dev/null})}"
)
_SELECT = f"{PG_ENVIRONMENT}; psql -XAtqc 'select 1'"


def letta(token: str | None) -> Question:
    """Return the question for Letta: its health, and a route that reads data, which alone tells of the database."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(service: ContainerService, limit_s: float) -> str | None:
        return asking.ask(service.address, "/v1/health/", limit_s) or asking.ask(
            service.address, "/v1/agents/?limit=1", limit_s, headers
        )

    return ask


def http(path: str) -> Question:
    """Return the question whether GET `path` answers 200."""
    return lambda service, limit_s: asking.ask(service.address, path, limit_s)


def any_of(*paths: str) -> Question:
    """Return the question whether GET on one of `paths` answers 200; what the last one answered is told."""

    def ask(service: ContainerService, limit_s: float) -> str | None:
        answers = [asking.ask(service.address, path, limit_s) for path in paths]
        return None if None in answers else answers[-1]

    return ask


def postgres(service: ContainerService, limit_s: float) -> str | None:
    """Ask for a row over a new connection."""
    return _executed(service, ["sh", "-c", _SELECT], "1")


def redis(service: ContainerService, limit_s: float) -> str | None:
    """Ask for an answer to PING; a demand for a password is one."""
    return _executed(service, ["redis-cli", "ping"], "PONG", "NOAUTH")


def _executed(service: ContainerService, command: list[str], *right: str) -> str | None:
    try:
        answer = service.execute(command)
    except ServiceError as error:
        return str(error)
    return None if any(word in answer.output for word in right) else " ".join(answer.output.split())
