"""Faults of uploads, of connections and of what pages of other origins may do."""

from __future__ import annotations

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.fault import CataloguedFault, Match
from pytest_letta.faults.net import (
    add_response_header,
    allow_any_origin,
    change_response_header,
    drop_response_header,
    hang_up,
    limit_body,
    limit_connections,
    strip_cors,
)
from pytest_letta.faults.proxies import believe_forwarded, hurry_uploads, refuse_framing, with_header

_UPLOADS = (
    CataloguedFault(
        name="proxy-limits-uploads",
        kills=(
            *cases("NET-UPLOAD-001", "large", "large-chunked"),
            *cases("NET-UPLOAD-004", "2-mib", "8-mib", "20-mib"),
        ),
        reason="status is 413, not (200|404).*client_max_body_size 64m",
        make=lambda: limit_body(100_000),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-limits-bodies-to-10m",
        kills=cases("NET-UPLOAD-004", "20-mib"),
        reason="status is 413, not 404.*client_max_body_size 64m",
        make=lambda: limit_body(10 * 1024 * 1024),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-wants-lengths",
        kills=cases("NET-UPLOAD-001", "chunked", "empty-chunked", "large-chunked"),
        reason="status is 411, not (200|422).*proxy_request_buffering on",
        make=lambda: refuse_framing("transfer-encoding", 411, on=Match("PATCH")),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-does-not-continue",
        kills=cases("NET-UPLOAD-001", "expect"),
        reason="status is 417, not 200.*proxy_request_buffering on",
        make=lambda: refuse_framing("expect", 417, on=Match("PATCH")),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-hurries-uploads",
        kills=cases("NET-UPLOAD-001", "slow"),
        reason="status is 408, not 200.*client_body_timeout 60s",
        make=lambda: hurry_uploads(0.25, on=Match("PATCH")),
        via="proxy",
    ),
    CataloguedFault(
        name="server-is-held-up-by-uploads",
        kills=("NET-UPLOAD-002",),
        reason="while 8 uploads were half sent, .*answered 503",
        make=lambda: limit_connections(6),
    ),
    CataloguedFault(
        name="proxy-is-held-up-by-uploads",
        kills=("NET-UPLOAD-003",),
        reason="while 8 uploads were half sent, .*answered 503.*worker_connections",
        make=lambda: limit_connections(6),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-believes-clients",
        kills=cases("NET-FORWARD-001", "host", "proto"),
        reason="status and Location of .*X-Forwarded-Proto .scheme",
        make=believe_forwarded,
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-closes-each-connection",
        kills=cases("NET-KEEP-001", "head", "redirect", "not-found", "refused-body", "method"),
        reason="8 requests in a row took 8 connections .*keepalive_timeout",
        make=lambda: change_response_header("Connection", "close"),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-loses-the-rest-of-a-burst",
        kills=("NET-KEEP-002",),
        reason=r"one burst .*: expected \['200', '40[14]', '200', .*got \['200'\] .*keepalive_requests",
        make=lambda: with_header("User-Agent", hang_up(on=Match("GET", "no-such-path")), ".* burst"),
        via="proxy",
    ),
)

_PAGES = (
    CataloguedFault(
        name="pages-may-not-change",
        kills=(
            *cases("NET-ORIGIN-001", "put", "patch", "delete"),
            *cases("NET-ORIGIN-004", "get-preflight", "put-preflight", "delete-preflight"),
        ),
        reason="allowed methods of the preflight does not contain|header access-control-allow-methods",
        make=lambda: with_header(
            "Origin",
            change_response_header("Access-Control-Allow-Methods", "GET, POST", on=Match("OPTIONS")),
            "https://app.letta.com",
        ),
    ),
    CataloguedFault(
        name="look-alikes-are-let-in",
        kills=cases("NET-ORIGIN-002", "longer", "other-port"),
        reason="allows the origin 'https://app.letta.com.+' to one of",
        make=lambda: with_header("Origin", allow_any_origin("echo"), "https://app.letta.com.+"),
    ),
    CataloguedFault(
        name="refusals-are-without-cors",
        kills=cases("NET-ORIGIN-003", "not-found"),
        reason="allowed origins of .*: expected",
        make=lambda: strip_cors(on=Match("GET", "no-such-path")),
    ),
    CataloguedFault(
        name="database-errors-are-without-cors",
        kills=cases("NET-ORIGIN-003", "database-error"),
        reason="allowed origins of .*limit=-1: expected",
        make=lambda: strip_cors(on=Match("GET", "/v1/agents/$")),
    ),
    CataloguedFault(
        name="caches-mix-origins-up",
        kills=cases("NET-ORIGIN-003", "redirect"),
        reason="Vary: Origin', so that a cache gives one origin's answer to another",
        make=lambda: drop_response_header("Vary", on=Match("GET", "/v1/agents$")),
    ),
    CataloguedFault(
        name="proxy-allows-an-origin-twice",
        kills=cases("NET-ORIGIN-004", "refused"),
        reason="header access-control-allow-origin is .*no add_header Access-Control-Allow-Origin",
        make=lambda: add_response_header(
            "Access-Control-Allow-Origin", "https://app.letta.com", on=Match("GET", "/v1/agents/nobody")
        ),
        via="proxy",
    ),
)

FAULTS = (*_UPLOADS, *_PAGES)
