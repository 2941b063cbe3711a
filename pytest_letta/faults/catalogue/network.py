"""Faults that break the promises of the network suite, most of them mistakes in the configuration of a proxy."""

from __future__ import annotations

from pytest_letta.faults.catalogue import network_clients, network_families, network_outages, network_proxy
from pytest_letta.faults.fault import CataloguedFault, Match
from pytest_letta.faults.net import (
    add_response_header,
    allow_any_origin,
    change_response_header,
    drop_request_header,
    limit_body,
    limit_connections,
    limit_headers,
    redirect_as_303,
    rewrite_location,
    rewrite_target,
    strip_cors,
)
from pytest_letta.faults.rest import answer, change_status, drop_response_field, replace_body, set_request_field
from pytest_letta.faults.stack import StackFault
from pytest_letta.faults.writes import lose_body

_HTML = b"<html><body><h1>404 Not Found</h1><hr>nginx</body></html>"
_HTML_TYPE = (("Content-Type", "text/html"),)
_ONE_AGENT = Match("GET", r"/v1/agents/agent-[^/]+$")
_LIST = Match("GET", r"/v1/agents/?$")
_NO_PATH = Match("GET", "no-such-path")

_REACH = (
    CataloguedFault(
        name="proxy-leads-to-another-server",
        kills=("NET-REACH-001", "NET-VOLUME-003"),
        reason="answered 404",
        make=lambda: change_status(404, body=b'{"detail":"Agent not found"}', on=_ONE_AGENT),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-loses-a-field",
        kills=("NET-REACH-001",),
        reason="agent through the proxy: expected",
        make=lambda: drop_response_field("system", on=_ONE_AGENT),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-answers-with-its-own-page",
        kills=("NET-REACH-002",),
        reason="no-such-path through the proxy: header content-type is text/html, .*proxy_intercept_errors off",
        make=lambda: answer(404, _HTML, _HTML_TYPE, on=_NO_PATH),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-without-health",
        kills=("NET-REACH-003",),
        reason="/nginx-health answered 404",
        make=lambda: answer(404, _HTML, _HTML_TYPE, on=Match("GET", "/nginx-health")),
        via="proxy",
    ),
    CataloguedFault(
        name="gateway-answers-with-its-own-page",
        kills=("NET-REACH-002", "NET-REACH-004"),
        reason="expected a JSON error body|text/html",
        make=lambda: replace_body(_HTML, "text/html", on=_NO_PATH),
    ),
    CataloguedFault(
        name="proxy-decodes-the-query",
        kills=("NET-REACH-005",),
        reason="agents of that name through the proxy: expected",
        make=lambda: rewrite_target("%26", "&", on=_LIST),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-encodes-the-path-again",
        kills=("NET-REACH-006",),
        reason="answered 404.*two",
        make=lambda: rewrite_target("%20", "%2520", on=Match("GET", "/core-memory/blocks/")),
        via="proxy",
    ),
)

_REDIRECTS = (
    CataloguedFault(
        name="server-redirects-to-an-internal-name",
        kills=("NET-REDIR-001",),
        reason="leaves its origin: .*letta-server.*an internal host name leaks",
        make=lambda: rewrite_location(host="letta-server", port=8283, on=_LIST),
    ),
    CataloguedFault(
        name="proxied-redirect-loses-the-port",
        kills=("NET-REDIR-002",),
        reason=r"leaves its origin: .*\$host loses it",
        make=lambda: rewrite_location(port="drop", on=_LIST),
        via="proxy",
    ),
    CataloguedFault(
        name="proxied-redirect-changes-the-scheme",
        kills=("NET-REDIR-002",),
        reason="leaves its origin: .*X-Forwarded-Proto",
        make=lambda: rewrite_location(scheme="https", on=_LIST),
        via="proxy",
    ),
    CataloguedFault(
        name="proxied-redirect-loses-the-query",
        kills=("NET-REDIR-002",),
        reason="query of the redirect: expected",
        make=lambda: rewrite_location(drop_query=True, on=_LIST),
        via="proxy",
    ),
    CataloguedFault(
        name="redirect-loses-the-method",
        kills=("NET-REDIR-003",),
        reason="became a GET: the redirect lost the method",
        make=lambda: redirect_as_303(on=Match("POST", "/v1/agents$")),
    ),
    CataloguedFault(
        name="proxied-redirect-loses-the-body",
        kills=("NET-REDIR-004",),
        reason="answered 4",
        make=lambda: lose_body(on=Match("POST", "/v1/agents/$")),
        via="proxy",
    ),
)

_CORS = (
    CataloguedFault(
        name="cors-is-off",
        kills=("NET-CORS-001",),
        reason="answered 405|allowed origins of the preflight: expected",
        make=strip_cors,
    ),
    CataloguedFault(
        name="any-origin-is-echoed",
        kills=("NET-CORS-002",),
        reason="foreign origin .* is allowed",
        make=lambda: allow_any_origin("echo"),
    ),
    CataloguedFault(
        name="star-with-credentials",
        kills=("NET-CORS-001", "NET-CORS-002"),
        reason="any origin is allowed together with credentials|allowed origins of the preflight",
        make=lambda: allow_any_origin("*"),
    ),
    CataloguedFault(
        name="proxy-adds-a-second-cors-header",
        kills=("NET-CORS-003",),
        reason="allowed origins of .*: expected",
        make=lambda: add_response_header("Access-Control-Allow-Origin", "https://app.letta.com"),
        via="proxy",
    ),
)

_VOLUME = (
    CataloguedFault(
        name="server-stores-half-of-it",
        kills=("NET-VOLUME-001",),
        reason="were stored, or others",
        make=lambda: set_request_field("metadata.text", "half", on=Match("PATCH", r"/v1/agents/agent-[^/]+$")),
    ),
    CataloguedFault(
        name="proxy-limits-bodies-to-1m",
        kills=("NET-VOLUME-002",),
        reason="answered 413.*client_max_body_size",
        make=lambda: limit_body(1024 * 1024),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-cuts-large-answers",
        kills=("NET-REACH-001", "NET-VOLUME-003"),
        reason="characters of the large answer: expected|agent through the proxy: expected",
        make=lambda: drop_response_field("metadata", on=_ONE_AGENT),
        via="proxy",
    ),
    CataloguedFault(
        name="server-takes-few-connections",
        kills=("NET-VOLUME-004",),
        reason="of 100 connections at once .* answered 503",
        make=lambda: limit_connections(60),
    ),
    CataloguedFault(
        name="proxy-takes-few-connections",
        kills=("NET-VOLUME-005",),
        reason="of 100 connections at once .* answered 503",
        make=lambda: limit_connections(60),
        via="proxy",
    ),
)

_HEADERS = (
    CataloguedFault(
        name="proxy-drops-user-id",
        kills=("NET-HEADERS-001",),
        reason="user_id was dropped .*underscores_in_headers on",
        make=lambda: drop_request_header("user_id"),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-refuses-long-headers",
        kills=("NET-HEADERS-002",),
        reason="answered 400",
        make=lambda: limit_headers(4096),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-answers-options-itself",
        kills=("NET-HEADERS-003",),
        reason="OPTIONS /v1/health/ through the proxy: status is 204, not 405",
        make=lambda: answer(204, on=Match("OPTIONS", "/v1/health/")),
        via="proxy",
    ),
    CataloguedFault(
        name="server-closes-each-connection",
        kills=("NET-HEADERS-004",),
        reason="3 requests in a row took 3 connections",
        make=lambda: change_response_header("Connection", "close"),
    ),
)

FAULTS: tuple[CataloguedFault | StackFault, ...] = (
    *_REACH,
    *_REDIRECTS,
    *_CORS,
    *_VOLUME,
    *_HEADERS,
    *network_proxy.FAULTS,
    *network_clients.FAULTS,
    *network_outages.FAULTS,
    *network_families.FAULTS,
)
