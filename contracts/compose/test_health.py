"""The health checks of the file, and who waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.compose.checks import health
from pytest_letta.compose.place import told

if TYPE_CHECKING:
    from pytest_letta.compose.file import ComposeFile

_ORDER = "https://docs.docker.com/compose/how-tos/startup-order/"


@contract("COMPOSE-HEALTH-001", level="should", needs=["compose_file"], because=_ORDER)
def test_services_tell_their_health(letta_compose_file: ComposeFile) -> None:
    """Letta, its database, and every service whose health another waits for have a healthcheck."""
    must(told(health.is_told(letta_compose_file)))


@contract(
    "COMPOSE-HEALTH-002",
    level="should",
    needs=["compose_file"],
    because="a server whose database does not answer at its start ends; without Redis it has no background streams "
    "until it is restarted",
)
def test_letta_waits_for_what_it_needs(letta_compose_file: ComposeFile) -> None:
    """Letta starts when its database and its Redis are healthy."""
    must(told(health.letta_waits(letta_compose_file)))


@contract("COMPOSE-HEALTH-003", level="should", needs=["compose_file"], because=_ORDER)
def test_others_wait_for_letta(letta_compose_file: ComposeFile) -> None:
    """A service that depends on Letta starts when Letta is healthy."""
    must(told(health.others_wait(letta_compose_file)))


@contract(
    "COMPOSE-HEALTH-005",
    level="should",
    needs=["compose_file"],
    because="`docker compose up` ends with 'dependency failed to start' while Letta still migrates and loads",
)
def test_health_check_leaves_time_to_start(letta_compose_file: ComposeFile) -> None:
    """A Letta that others wait for is not given up before it can have started."""
    must(told(health.leaves_time(letta_compose_file)))


@contract(
    "COMPOSE-HEALTH-004",
    level="should",
    needs=["compose_file"],
    because="/v1/health without its last slash is a redirect, with which `curl -f` is content",
)
def test_health_check_asks_the_server(letta_compose_file: ComposeFile) -> None:
    """The healthcheck of Letta passes when the server itself answers with success, and only then."""
    must(told(health.asks_the_server(letta_compose_file)))
