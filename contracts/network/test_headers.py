"""Headers and methods: what the proxy must pass on, and what it must leave alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import answered, equal, status

if TYPE_CHECKING:
    import httpx

_LINE = 8_000


@contract("NET-HEADERS-001", needs=["proxy"], because="nginx drops user_id silently, and the default user answers")
def test_proxy_passes_the_user_on(letta_client: httpx.Client, letta_proxy_client: httpx.Client) -> None:
    """The header user_id reaches the server through the proxy: a malformed one is refused both ways."""
    user = {"user_id": "pytest-letta-no-user"}
    direct = letta_client.get("/v1/agents/", params={"limit": 1}, headers=user)
    if direct.status_code != 400:
        not_applicable("this server does not look at a malformed user_id (Letta 0.16.4 and later do)")

    proxied = letta_proxy_client.get("/v1/agents/", params={"limit": 1}, headers=user)

    if proxied.status_code == 200:
        must(f"{answered(proxied)[:80]} as another user: user_id was dropped (nginx: underscores_in_headers on)")
    must(equal(direct.text, proxied.text, "refusal of a malformed user_id through the proxy"))


@contract(
    "NET-HEADERS-002", level="should", needs=["proxy"], because="long tokens and cookies are usual behind gateways"
)
def test_proxy_passes_a_long_header(letta_client: httpx.Client, letta_proxy_client: httpx.Client) -> None:
    """A header line of 8,000 bytes passes the proxy when it passes the server."""
    long = {"X-Pytest-Letta": "x" * _LINE}
    if letta_client.get("/v1/health/", headers=long).status_code != 200:
        not_applicable("the server itself refuses such a header")

    must(status(letta_proxy_client.get("/v1/health/", headers=long)))


@contract(
    "NET-HEADERS-003",
    needs=["proxy"],
    because="monitors use HEAD and OPTIONS; a proxy that answers itself hides the server",
)
def test_proxy_leaves_methods_alone(letta_client: httpx.Client, letta_proxy_client: httpx.Client) -> None:
    """HEAD, OPTIONS, PUT and DELETE of the health route are answered alike directly and through the proxy."""
    for method in ("HEAD", "OPTIONS", "PUT", "DELETE"):
        direct, proxied = (one.request(method, "/v1/health/") for one in (letta_client, letta_proxy_client))
        seen = (direct.status_code, direct.headers.get("allow"), direct.text)
        must(equal(seen, (proxied.status_code, proxied.headers.get("allow"), proxied.text), f"{method} by the proxy"))


@contract("NET-HEADERS-004", level="should", because="a handshake for each request costs more than most requests")
def test_connection_is_kept(letta_client: httpx.Client) -> None:
    """A connection serves several requests in a row."""
    ports = set()
    for _ in range(3):
        with letta_client.stream("GET", "/v1/health/") as answer:
            ports.add(answer.extensions["network_stream"].get_extra_info("client_addr")[1])
            answer.read()

    must(f"3 requests in a row took {len(ports)} connections" if len(ports) > 1 else None)
