"""Who gets at the server and its data, as the file has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.compose.checks import exposure
from pytest_letta.compose.place import told

if TYPE_CHECKING:
    from pytest_letta.compose.file import ComposeFile

_FIREWALL = "published ports pass the firewall of the host: https://docs.docker.com/engine/network/packet-filtering-firewalls/"


@contract(
    "COMPOSE-AUTH-001",
    level="should",
    needs=["compose_file"],
    because="LETTA_SERVER_PASSWORD alone leaves the server open up to 0.16.8",
)
def test_password_is_asked_for(letta_compose_file: ComposeFile) -> None:
    """A server that is given a password asks for it."""
    must(told(exposure.password_is_asked_for(letta_compose_file)))


@contract("COMPOSE-AUTH-002", level="should", needs=["compose_file"], because="CWE-1393: use of default passwords")
def test_passwords_are_own(letta_compose_file: ComposeFile) -> None:
    """No password is one that everybody tries first."""
    must(told(exposure.passwords_are_own(letta_compose_file)))


@contract(
    "COMPOSE-AUTH-003",
    level="should",
    needs=["compose_file"],
    because="whoever reaches an open server runs code on it: CVE-2025-51482, letta-ai/letta#2630",
)
def test_open_server_is_not_published(letta_compose_file: ComposeFile) -> None:
    """A server that asks for no password is published on the loopback address at most."""
    must(told(exposure.open_server_is_not_published(letta_compose_file)))


@contract("COMPOSE-EXPOSE-001", level="should", needs=["compose_file"], because=_FIREWALL)
def test_data_stores_are_not_published(letta_compose_file: ComposeFile) -> None:
    """The ports of the database and of Redis are published on the loopback address at most."""
    must(told(exposure.data_stores_are_not_published(letta_compose_file)))


@contract(
    "COMPOSE-PORT-001",
    level="should",
    needs=["compose_file"],
    because="the engine starts the second container never: `port is already allocated`",
)
def test_no_port_is_wanted_twice(letta_compose_file: ComposeFile) -> None:
    """No two containers want the same port of the host."""
    must(told(exposure.ports_are_free_for_each(letta_compose_file)))
