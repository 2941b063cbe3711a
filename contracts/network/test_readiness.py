"""Readiness tells the truth: who is sent no requests while the server can answer none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.conformance.checks import status

from .load import away

if TYPE_CHECKING:
    import httpx

    from pytest_letta.stack.stack import Stack

    from .conftest import Patience


@contract(
    "NET-READY-001",
    level="should",
    needs=["ready", "kill"],
    because="a balancer sends requests to whoever is ready; health, asked whether to restart, may stay 200",
)
def test_server_without_database_is_not_ready(
    letta_client: httpx.Client, letta_stack: Stack, first_success: Patience
) -> None:
    """While its database is away a server answers 503 to GET /v1/ready/, and 200 again when it is back."""
    with away(letta_stack, "postgres", "killed"):
        answer = letta_client.get("/v1/ready/")

    must(status(answer, 503))
    first_success(lambda: letta_client.get("/v1/ready/"), "after the database was back")
