"""Targets: path and query reach the server byte for byte, methods and request headers as they were sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.differential import Question

if TYPE_CHECKING:
    from .conftest import Differing

# The server refuses these ids and limits, and its refusal says what has reached it.
_BY_ID = "/v1/agents/"
_BY_LIMIT = "/v1/agents/?limit="
#: Long enough to be worth compressing, and seldom changed.
_LONG = "/v1/tools/?limit=3&order=asc"


@contract("NET-TARGET-001", needs=["proxy"], because="labels, names and ids are parts of paths, with any characters")
@pytest.mark.parametrize(
    "target",
    [
        pytest.param(f"{_BY_ID}a%20b", id="space"),
        pytest.param(f"{_BY_ID}a+b", id="plus"),
        pytest.param(f"{_BY_ID}a%2Bb", id="encoded-plus"),
        pytest.param(f"{_BY_ID}a%252Fb", id="encoded-twice"),
        pytest.param(f"{_BY_ID}%3Fa%23b", id="question-mark-and-hash"),
        pytest.param(f"{_BY_ID}a;b=c,d", id="semicolon"),
        pytest.param(f"{_BY_ID}a:b@c!$'()*", id="sub-delimiters"),
        pytest.param(f"{_BY_ID}%E4%B8%96%F0%9F%9A%80", id="unicode"),
        pytest.param(f"{_BY_ID}%e4%b8%96", id="lower-case-digits"),
        pytest.param("/v1/agent%73/?limit=x", id="needlessly-encoded"),
        pytest.param("/v1/agents%2F?limit=x", id="encoded-slash"),
        pytest.param("/v1/AGENTS/", id="upper-case"),
        pytest.param(f"{_BY_ID}{'a' * 3000}", id="long"),
    ],
)
def test_path_passes_the_proxy_unchanged(target: str, differing: Differing) -> None:
    """A path with reserved or encoded characters is answered through the proxy as it is directly."""
    must(differing(Question(target)))


@contract("NET-TARGET-002", needs=["proxy"], because="a query that changes on the way selects something else")
@pytest.mark.parametrize(
    "target",
    [
        pytest.param(f"{_BY_LIMIT}a%26b%3Dc%23d%3Fe", id="encoded-delimiters"),
        pytest.param(f"{_BY_LIMIT}a%20b+c%2Bd", id="space-and-plus"),
        pytest.param(f"{_BY_LIMIT}a%252520b", id="encoded-thrice"),
        pytest.param(f"{_BY_LIMIT}%E4%B8%96%F0%9F%9A%80", id="unicode"),
        pytest.param(f"{_BY_LIMIT}%C3%28", id="not-utf-8"),
        pytest.param(f"{_BY_LIMIT}%zz%", id="no-encoding"),
        pytest.param(f"{_BY_LIMIT}/.././/x", id="dots-and-slashes"),
        pytest.param(f"{_BY_LIMIT}[0]{{}}|;,:@!$'()*~", id="unencoded"),
        pytest.param(f"{_BY_LIMIT}http://127.0.0.1:1/x?y=z", id="url"),
        pytest.param(f"{_BY_LIMIT}x&limit=y&limit=z", id="repeated"),
        pytest.param(f"{_BY_LIMIT}&&name=&", id="empty-parts"),
        pytest.param(f"{_BY_LIMIT}x&name={'a' * 6000}", id="long"),
        pytest.param("/v1/agents?limit=1&name=a%2Fb%20%26&tags=%C3%85", id="redirected"),
    ],
)
def test_query_passes_the_proxy_unchanged(target: str, differing: Differing) -> None:
    """A query with reserved, encoded or repeated parts is answered through the proxy as it is directly."""
    must(differing(Question(target)))


@contract(
    "NET-TARGET-003",
    level="should",
    needs=["proxy"],
    because="a path that only the proxy tidies up is one route for its rules and another for the server",
)
@pytest.mark.parametrize(
    "target",
    [
        pytest.param("//v1/health/", id="slashes-before"),
        pytest.param("/v1//health/", id="slashes-inside"),
        pytest.param("/v1/health//", id="slashes-after"),
        pytest.param("/v1/./health/", id="dot"),
        pytest.param("/v1/agents/../health/", id="two-dots"),
        pytest.param("/v1/agents/%2e%2E/health/", id="encoded-dots"),
        pytest.param("/v1/agents/..%2fhealth/", id="dots-with-encoded-slash"),
    ],
)
def test_proxy_does_not_tidy_paths_up(target: str, differing: Differing) -> None:
    """Double slashes and dot segments are answered through the proxy as they are directly."""
    must(differing(Question(target)))


@contract("NET-METHOD-001", needs=["agents", "proxy"], because="a proxy that answers itself hides what is allowed")
@pytest.mark.parametrize("method", [pytest.param(name, id=name.lower()) for name in ("HEAD", "OPTIONS", "PATCH")])
@pytest.mark.parametrize(
    "target",
    [
        pytest.param("/v1/agents/?limit=1", id="list"),
        pytest.param("/v1/agents", id="redirect"),
        pytest.param("/v1/pytest-letta-no-such-path", id="nowhere"),
    ],
)
def test_methods_pass_the_proxy(method: str, target: str, differing: Differing) -> None:
    """HEAD, OPTIONS and a method that is not allowed are answered through the proxy as they are directly."""
    must(differing(Question(target, method)))


@contract(
    "NET-METHOD-002",
    level="should",
    needs=["agents", "proxy"],
    because="the server says what it knows, not the proxy",
)
@pytest.mark.parametrize("method", [pytest.param(name, id=name.lower()) for name in ("PROPFIND", "QUERY", "PYTEST")])
def test_unknown_methods_pass_the_proxy(method: str, differing: Differing) -> None:
    """Methods that Letta does not know are refused through the proxy as they are directly."""
    must(differing(Question("/v1/health/", method)))


@contract("NET-ASK-001", needs=["proxy"], because="caches, compressions and rewrites hang on headers of requests")
@pytest.mark.parametrize(
    ("target", "name", "value"),
    [
        pytest.param(_LONG, "Accept-Encoding", "gzip", id="gzip"),
        pytest.param(_LONG, "Accept-Encoding", "identity", id="no-compression"),
        pytest.param("/v1/health/", "Accept", "text/html", id="html"),
        pytest.param("/v1/health/", "Range", "bytes=0-3", id="range"),
        pytest.param("/v1/health/", "If-None-Match", "*", id="if-none-match"),
        pytest.param("/v1/health/", "If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT", id="if-modified-since"),
        pytest.param("/v1/health/", "Cache-Control", "only-if-cached", id="only-if-cached"),
        pytest.param("/v1/health/", "Expect", "100-continue", id="expect"),
        pytest.param("/v1/health/", "Cookie", "a=b; c=d", id="cookie"),
        pytest.param("/v1/health/", "X-HTTP-Method-Override", "DELETE", id="method-override"),
        pytest.param("/v1/agents?limit=1", "X-Original-URL", "/pytest-letta", id="original-url"),
    ],
)
def test_request_headers_change_nothing_on_the_way(target: str, name: str, value: str, differing: Differing) -> None:
    """Headers that invite caching, compression, ranges or rewriting are answered as they are directly."""
    must(differing(Question(target, headers={name: value})))
