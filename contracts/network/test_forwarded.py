"""Forwarded: what a client says of its way does not decide where it is sent, and its connection is kept."""

from __future__ import annotations

import re
import socket
import ssl
from contextlib import closing, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import equal, status
from pytest_letta.conformance.differential import Question

from .handshakes import port_of

if TYPE_CHECKING:
    import httpx

    from pytest_letta.settings import Settings

_REDIRECTED = "/v1/agents?limit=1"
_OTHER = "pytest-letta.invalid"
_CURE = (
    "nginx: set these headers itself: proxy_set_header X-Forwarded-Proto $scheme, X-Forwarded-Host $http_host, "
    'X-Forwarded-Port $server_port, Forwarded ""'
)
_IN_A_ROW = 4


def _other_scheme(client: httpx.Client) -> str:
    return "http" if client.base_url.scheme == "https" else "https"


@contract(
    "NET-FORWARD-001",
    level="should",
    needs=["proxy"],
    because="whoever can name the host of a redirect gets the password that is sent after it: letta-ai/letta#3189",
)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("X-Forwarded-Host", _OTHER, id="host"),
        pytest.param("X-Forwarded-Proto", "{scheme}", id="proto"),
        pytest.param("X-Forwarded-Scheme", "{scheme}", id="scheme"),
        pytest.param("X-Forwarded-Port", "1", id="port"),
        pytest.param("X-Forwarded-Prefix", "/pytest-letta", id="prefix"),
        pytest.param("X-Forwarded-Server", _OTHER, id="server"),
        pytest.param("X-Host", _OTHER, id="x-host"),
        pytest.param("Forwarded", f"host={_OTHER};proto={{scheme}}", id="forwarded"),
    ],
)
def test_forwarding_headers_of_a_client_do_not_move_redirects(
    name: str, value: str, letta_proxy_client: httpx.Client
) -> None:
    """A forwarding header that a client makes up changes no redirect of the proxy."""
    forged = {name: value.format(scheme=_other_scheme(letta_proxy_client))}
    honest = Question(_REDIRECTED).ask(letta_proxy_client)
    answer = Question(_REDIRECTED, headers=forged).ask(letta_proxy_client)

    expected, seen = ((one.status_code, one.headers.get("location")) for one in (honest, answer))
    problem = equal(expected, seen, f"status and Location of GET {_REDIRECTED} with {name}: {forged[name]}")
    must(f"{problem} ({_CURE})" if problem else None)


@contract(
    "NET-KEEP-001",
    level="should",
    needs=["agents", "proxy"],
    because="a handshake for each request costs more than most requests, and with TLS a multiple",
)
@pytest.mark.parametrize(
    "before",
    [
        pytest.param(Question("/v1/agents/?limit=1", "HEAD"), id="head"),
        pytest.param(Question("/v1/agents?limit=1"), id="redirect"),
        pytest.param(Question("/v1/pytest-letta-no-such-path"), id="not-found"),
        pytest.param(Question("/v1/agents/", "POST", {"Content-Type": "application/json"}, b"[]"), id="refused-body"),
        pytest.param(Question("/v1/agents/", "PUT", {"Content-Type": "application/json"}, b"{}"), id="method"),
    ],
)
def test_connection_to_the_proxy_is_kept(before: Question, letta_proxy_client: httpx.Client) -> None:
    """A connection to the proxy serves requests in a row, whatever was answered before, each with its own answer."""
    ports = []
    for _ in range(_IN_A_ROW):
        for question in (before, Question("/v1/health/")):
            answer = question.ask(letta_proxy_client, stream=True)
            ports.append(answer.extensions["network_stream"].get_extra_info("client_addr")[1])
            answer.read()
            answer.close()
        problem = status(answer)
        must(f"{problem} after {before.name} (nginx: no limit_req or limit_conn before Letta)" if problem else None)
        must(equal("ok", answer.json().get("status"), f"status in GET /v1/health/ after {before.name}"))

    # Two at most, for a proxy may end one after so many requests (nginx: keepalive_requests).
    taken = f"{len(ports)} requests in a row took {len(set(ports))} connections"
    must(f"{taken} (nginx: keepalive_timeout 75s; it is not kept with 0)" if len(set(ports)) > 2 else None)


def _burst(url: str, paths: tuple[str, ...], timeout_s: float) -> list[str]:
    """Send requests without waiting for answers, and return the statuses in their order, as far as they come."""
    parts = urlsplit(url)
    fields = f"Host: {parts.netloc}\r\nUser-Agent: pytest-letta burst\r\n"
    lines = (f"GET {parts.path}{path} HTTP/1.1\r\n{fields}\r\n" for path in paths)
    received = b""
    opened = socket.create_connection((parts.hostname or "", port_of(parts)), timeout_s)
    if parts.scheme == "https":
        opened = ssl.create_default_context().wrap_socket(opened, server_hostname=parts.hostname)
    # Who does not take bursts may close before all is sent.
    with closing(opened) as sock, suppress(OSError):
        sock.sendall("".join(lines).encode())
        while len(_statuses(received)) < len(paths) and (piece := sock.recv(65536)):
            received += piece
    return _statuses(received)


def _statuses(received: bytes) -> list[str]:
    return [found.decode() for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


@contract(
    "NET-KEEP-002",
    level="should",
    needs=["proxy"],
    because="what is sent before an answer is there is neither lost nor answered in another order (RFC 9112, 9.3.2)",
)
def test_bursts_pass_the_proxy(letta_url: str, letta_proxy_url: str, letta_settings: Settings) -> None:
    """Requests that are sent in one burst on one connection are all answered through the proxy, in their order."""
    paths = ("/v1/health/", "/v1/pytest-letta-no-such-path", "/v1/health/", "/v1/agents?limit=1", "/v1/health/")
    direct = _burst(letta_url, paths, letta_settings.timeout)
    if len(direct) < len(paths):
        not_applicable("the server itself does not take several requests in one burst")

    proxied = _burst(letta_proxy_url, paths, letta_settings.timeout)

    problem = equal(direct, proxied, f"statuses of {len(paths)} GET requests in one burst through the proxy")
    must(f"{problem} (nginx: keepalive_timeout 75s, keepalive_requests 1000)" if problem else None)
