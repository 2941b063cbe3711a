"""Headers and methods: what the proxy must pass on, and what it must leave alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import equal, status
from pytest_letta.conformance.differential import Question

if TYPE_CHECKING:
    import httpx

    from .conftest import Differing

_LINE = 8_000
_UNDERSCORES = "nginx: underscores_in_headers on, in the first server of its port; no proxy_cache"
_BUFFERS = "large_client_header_buffers 8 64k, in the first server of its port"


@contract("NET-HEADERS-001", needs=["proxy"], because="nginx drops user_id silently, and the default user answers")
def test_proxy_passes_the_user_on(letta_client: httpx.Client, letta_proxy_client: httpx.Client) -> None:
    """The header user_id reaches the server through the proxy: a malformed one is refused both ways."""
    user = {"user_id": "pytest-letta-no-user"}
    direct = letta_client.get("/v1/agents/", params={"limit": 1}, headers=user)
    if direct.status_code != 400:
        not_applicable("this server does not look at a malformed user_id (Letta 0.16.4 and later do)")

    proxied = letta_proxy_client.get("/v1/agents/", params={"limit": 1}, headers=user)

    if proxied.status_code == 200:
        served = "GET /v1/agents/ with a user_id that the server refuses answered 200 through the proxy"
        must(f"{served}: user_id was dropped on the way, and the default user is served ({_UNDERSCORES})")
    must(equal(direct.text, proxied.text, "refusal of a malformed user_id through the proxy"))


@contract(
    "NET-HEADERS-002", level="should", needs=["proxy"], because="long tokens and cookies are usual behind gateways"
)
def test_proxy_passes_a_long_header(letta_client: httpx.Client, letta_proxy_client: httpx.Client) -> None:
    """A header line of 8,000 bytes passes the proxy when it passes the server."""
    long = {"X-Pytest-Letta": "x" * _LINE}
    if letta_client.get("/v1/health/", headers=long).status_code != 200:
        not_applicable("the server itself refuses such a header")

    problem = status(letta_proxy_client.get("/v1/health/", headers=long))
    must(f"{problem} to a header line of {_LINE:,} bytes (nginx: {_BUFFERS})" if problem else None)


@contract(
    "NET-HEADERS-003",
    needs=["proxy"],
    because="monitors use HEAD and OPTIONS; a proxy that answers itself hides the server",
)
def test_proxy_leaves_methods_alone(differing: Differing) -> None:
    """HEAD, OPTIONS, PUT and DELETE of the health route are answered alike directly and through the proxy."""
    for method in ("HEAD", "OPTIONS", "PUT", "DELETE"):
        must(differing(Question("/v1/health/", method)))


@contract("NET-HEADERS-004", level="should", because="a handshake for each request costs more than most requests")
def test_connection_is_kept(letta_client: httpx.Client) -> None:
    """A connection serves several requests in a row."""
    ports = set()
    for _ in range(3):
        with letta_client.stream("GET", "/v1/health/") as answer:
            ports.add(answer.extensions["network_stream"].get_extra_info("client_addr")[1])
            answer.read()

    must(f"3 requests in a row took {len(ports)} connections" if len(ports) > 1 else None)
