"""What the file runs as the server, and what it tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.compose.checks import server, wiring
from pytest_letta.compose.place import told

if TYPE_CHECKING:
    from pytest_letta.compose.file import ComposeFile

_IGNORED = "names that are copied around and that neither letta/settings.py nor startup.sh reads"


@contract(
    "COMPOSE-IMAGE-001",
    level="should",
    needs=["compose_file"],
    because="an image that moved changed the API under its clients: letta-ai/letta-code#586",
)
def test_images_are_pinned(letta_compose_file: ComposeFile) -> None:
    """The images of Letta, its database, its Redis and its proxy name a version or a digest."""
    must(told(server.images_are_pinned(letta_compose_file)))


@contract(
    "COMPOSE-START-001",
    level="should",
    needs=["compose_file"],
    because="a new server on the old schema answers reads with 200 and writes with 500: letta-ai/letta-code#399",
)
def test_database_is_migrated(letta_compose_file: ComposeFile) -> None:
    """The database is migrated before the server starts."""
    must(told(server.database_is_migrated(letta_compose_file)))


@contract(
    "COMPOSE-START-002",
    level="should",
    needs=["compose_file"],
    because="`letta server` listens on localhost; the image's start script passes 0.0.0.0: letta/server/startup.sh",
)
def test_server_listens_beyond_its_container(letta_compose_file: ComposeFile) -> None:
    """The server listens on an address that others reach."""
    must(told(server.listens_beyond_its_container(letta_compose_file)))


@contract(
    "COMPOSE-START-003",
    level="should",
    needs=["compose_file"],
    because="the start script of each replica runs `alembic upgrade head`, without a lock: letta/server/startup.sh",
)
def test_replicas_migrate_one_after_the_other(letta_compose_file: ComposeFile) -> None:
    """The database is migrated by one container, however many replicas of the server start."""
    must(told(server.replicas_take_turns(letta_compose_file)))


@contract("COMPOSE-ENV-001", level="should", needs=["compose_file"], because=_IGNORED)
def test_variables_are_read(letta_compose_file: ComposeFile) -> None:
    """Every variable that Letta's container is given for the server is one that the server reads."""
    must(told(server.variables_are_read(letta_compose_file)))


@contract(
    "COMPOSE-ENV-002",
    level="should",
    needs=["compose_file"],
    because="compose reads .env for ${...} in the file and passes nothing of it on: "
    "https://docs.docker.com/compose/how-tos/environment-variables/",
)
def test_env_file_reaches_the_server(letta_compose_file: ComposeFile) -> None:
    """A variable in .env that is for the server reaches the server."""
    must(told(server.env_file_reaches_it(letta_compose_file)))


@contract(
    "COMPOSE-REDIS-001",
    level="should",
    needs=["compose_redis"],
    because="background streams need LETTA_REDIS_HOST; LETTA_REDIS_URL, which is copied around, is not read",
)
def test_redis_is_used(letta_compose_file: ComposeFile) -> None:
    """Letta is told of the Redis in the file by LETTA_REDIS_HOST and LETTA_REDIS_PORT."""
    must(told(wiring.redis_is_used(letta_compose_file)))


@contract(
    "COMPOSE-NAME-001",
    level="should",
    needs=["compose_file"],
    because="localhost between containers: letta-ai/letta#2388, #2282",
)
def test_nobody_looks_for_others_inside_itself(letta_compose_file: ComposeFile) -> None:
    """No container is told to find another one at localhost."""
    must(told(wiring.nobody_looks_inside(letta_compose_file)))
