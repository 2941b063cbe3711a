"""The database of the file: its data stay, and Letta finds it and may log in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.compose.checks import data, database
from pytest_letta.compose.place import told

if TYPE_CHECKING:
    from pytest_letta.compose.file import ComposeFile


@contract(
    "COMPOSE-DATA-001",
    level="should",
    needs=["compose_file"],
    because="agents gone after an update, for want of a volume at the right path: letta-ai/letta#2354, #2592",
)
def test_data_outlive_the_container(letta_compose_file: ComposeFile) -> None:
    """The folder in which the database keeps its data is on a volume with a name, or on a folder of the host."""
    must(told(data.outlive_the_container(letta_compose_file)))


@contract(
    "COMPOSE-DB-001",
    level="should",
    needs=["compose_file"],
    because="without LETTA_PG_URI the image uses a Postgres of its own, whoever stands by: letta/server/startup.sh",
)
def test_database_address_leads_to_a_database(letta_compose_file: ComposeFile) -> None:
    """LETTA_PG_URI names a service that Letta's container reaches, at the port inside of the network."""
    must(told(database.is_found(letta_compose_file)))


@contract(
    "COMPOSE-DB-002",
    level="should",
    needs=["compose_file", "compose_postgres"],
    because="Postgres takes its password at its first start only; a Letta with another never starts",
)
def test_credentials_are_those_of_the_database(letta_compose_file: ComposeFile) -> None:
    """User, password and database in LETTA_PG_URI are those with which the database is set up."""
    must(told(database.lets_letta_in(letta_compose_file)))


@contract(
    "COMPOSE-DB-003",
    level="should",
    needs=["compose_file"],
    because="?sslmode= ends every start of the image with a TypeError of pg8000: letta-ai/letta#3219",
)
def test_database_address_can_be_migrated(letta_compose_file: ComposeFile) -> None:
    """LETTA_PG_URI has no option that the migration at the start of the server refuses."""
    must(told(database.can_be_migrated(letta_compose_file)))


@contract(
    "COMPOSE-DB-005",
    level="should",
    needs=["compose_file", "compose_postgres"],
    because="images with pgvector bring the extension and do not make it: init.sql in Letta's own compose.yaml does",
)
def test_database_has_vectors(letta_compose_file: ComposeFile) -> None:
    """A new database gets the extension vector before Letta migrates it."""
    must(told(database.has_vectors(letta_compose_file)))


@contract(
    "COMPOSE-DB-004",
    level="should",
    needs=["compose_file", "compose_postgres"],
    because="with pooling the server forces ssl=require, and ends on a Postgres that has no TLS: letta-ai/letta#3219",
)
def test_pooling_is_not_asked_of_a_database_without_tls(letta_compose_file: ComposeFile) -> None:
    """Pooling is not switched on before a Postgres that speaks no TLS."""
    must(told(database.is_not_asked_for_tls(letta_compose_file)))
