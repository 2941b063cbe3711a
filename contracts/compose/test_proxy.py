"""The nginx of the file, by the configuration that is mounted into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.compose.checks import proxy
from pytest_letta.compose.place import told

if TYPE_CHECKING:
    from pytest_letta.compose.file import ComposeFile


@contract(
    "COMPOSE-PROXY-001",
    level="should",
    needs=["compose_nginx"],
    because="Letta sends no X-Accel-Buffering, so nginx by its defaults holds a stream back until it ends",
)
def test_streams_are_not_held_back(letta_compose_file: ComposeFile) -> None:
    """nginx hands on the events of a stream as they come."""
    must(told(proxy.streams_are_not_held_back(letta_compose_file)))


@contract(
    "COMPOSE-PROXY-002",
    level="should",
    needs=["compose_nginx"],
    because="a stream that thinks is silent for 20 s between pings (LETTA_KEEPALIVE_INTERVAL)",
)
def test_silence_is_borne(letta_compose_file: ComposeFile) -> None:
    """nginx lets a stream be silent for longer than Letta's pings leave it."""
    must(told(proxy.silence_is_borne(letta_compose_file)))


@contract(
    "COMPOSE-PROXY-003",
    level="should",
    needs=["compose_nginx"],
    because="Letta redirects to the Host that it is told; a lost port or scheme leads to a refused connection: "
    "letta-ai/letta#3189",
)
def test_redirects_lead_back(letta_compose_file: ComposeFile) -> None:
    """A redirect of Letta leads back to the address at which clients reach nginx."""
    must(told(proxy.redirects_lead_back(letta_compose_file)))


@contract(
    "COMPOSE-PROXY-004",
    level="should",
    needs=["compose_nginx"],
    because="nginx looks names up when it starts: https://nginx.org/en/docs/http/ngx_http_upstream_module.html#resolve",
)
def test_letta_is_found_again(letta_compose_file: ComposeFile) -> None:
    """nginx finds Letta again when its container is made anew."""
    must(told(proxy.letta_is_found_again(letta_compose_file)))


@contract(
    "COMPOSE-PROXY-006",
    level="should",
    needs=["compose_nginx"],
    because="nginx drops names with an underscore, and an agent list of the default user comes back with 200",
)
def test_users_are_told_apart(letta_compose_file: ComposeFile) -> None:
    """nginx passes the header user_id on."""
    must(told(proxy.users_are_told_apart(letta_compose_file)))


@contract(
    "COMPOSE-PROXY-007",
    level="should",
    needs=["compose_nginx"],
    because="nginx refuses bodies above 1 MB unless told otherwise; Letta itself has no limit",
)
def test_documents_pass(letta_compose_file: ComposeFile) -> None:
    """nginx takes requests that are as long as documents and images make them."""
    must(told(proxy.documents_pass(letta_compose_file)))


@contract(
    "COMPOSE-PROXY-005",
    level="should",
    needs=["compose_nginx"],
    because="nginx does not start when a name is unknown, and answers 502 when nobody listens: letta-ai/letta#2065",
)
def test_upstream_exists(letta_compose_file: ComposeFile) -> None:
    """Whatever nginx passes requests to is a service of the file, at the port where it listens."""
    must(told(proxy.upstream_exists(letta_compose_file)))
