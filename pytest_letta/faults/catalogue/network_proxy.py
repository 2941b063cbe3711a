"""Faults that make a proxy answer otherwise than the server behind it, and faults of uploads and of CORS."""

from __future__ import annotations

from pytest_letta.faults.fault import READS, WRITES, CataloguedFault, Match
from pytest_letta.faults.net import (
    add_response_header,
    allow_any_origin,
    change_response_header,
    drop_response_header,
    limit_body,
    limit_connections,
    strip_cors,
)
from pytest_letta.faults.proxies import (
    believe_forwarded,
    compress_always,
    decode_query,
    decode_twice,
    intercept_errors,
    lose_query,
    merge_slashes,
    resolve_dots,
    with_header,
)
from pytest_letta.faults.rest import answer, drop_response_field
from pytest_letta.faults.writes import lose_body

_PAGE = b"<html><body><h1>405 Not Allowed</h1><hr>nginx</body></html>"
_PAGE_TYPE = (("Content-Type", "text/html"),)
_ONE_AGENT = r"/v1/agents/agent-[^/]+$"


def _cases(contract: str, *cases: str) -> tuple[str, ...]:
    return tuple(f"{contract}[{case}]" for case in cases)


_DIFFERENCES = (
    CataloguedFault(
        name="proxy-lets-a-list-be-cached",
        kills=("NET-DIFF-001[tags]",),
        reason="GET /v1/tags/.* header cache-control is max-age=600, not None .*no expires",
        make=lambda: change_response_header("Cache-Control", "max-age=600", on=Match("GET", "/v1/tags/$")),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-has-a-location-too-few",
        kills=("NET-DIFF-001[blocks]",),
        reason="GET /v1/blocks/count.* status is 405, not 200.*one `location /` with proxy_pass",
        make=lambda: answer(405, _PAGE, _PAGE_TYPE, on=Match("GET", "/v1/blocks/count$")),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-loses-what-an-agent-reads",
        kills=("NET-DIFF-002[agent]",),
        reason=r"context.* body.num_archival_memory is nothing, not 0",
        make=lambda: drop_response_field("num_archival_memory", on=Match("GET", "/context$")),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-names-another-type",
        kills=("NET-DIFF-002[block]",),
        reason="blocks/human.* header content-type is text/plain, not application/json .*default_type",
        make=lambda: change_response_header("Content-Type", "text/plain", on=Match("GET", "/blocks/human$")),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-has-error-pages-of-its-own",
        kills=_cases("NET-DIFF-003", "deletion-of-nobody", "change-of-nobody", "no-such-path", "method-not-allowed"),
        reason="header content-type is text/html, not application/json.*proxy_intercept_errors off",
        make=lambda: intercept_errors(404, 405, on=WRITES),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-loses-bodies",
        kills=_cases("NET-DIFF-003", "change", "wrong-type", "malformed-json", "not-utf-8", "empty-object")
        + _cases("NET-DIFF-003", "no-content-type", "change-of-nobody"),
        reason="through the proxy: status is 422, not|through the proxy: body",
        make=lambda: lose_body(on=Match("PATCH", _ONE_AGENT)),
        via="proxy",
    ),
)

_TARGETS = (
    CataloguedFault(
        name="proxy-decodes-paths-twice",
        kills=_cases("NET-TARGET-001", "encoded-twice"),
        reason="merge_slashes off, and proxy_pass without a URI",
        make=lambda: decode_twice(on=READS),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-loses-queries",
        kills=_cases("NET-TARGET-002", "redirected"),
        reason=r"header location is /v1/agents/, not /v1/agents/\?limit=1.*for a query that is lost",
        make=lambda: lose_query(on=Match("GET", "/v1/agents$")),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-decodes-queries-once",
        kills=_cases("NET-TARGET-002", "encoded-delimiters", "space-and-plus", "redirected"),
        reason="proxy_pass without a URI, or with .request_uri|for a query that is lost",
        make=lambda: decode_query(on=Match("GET", "/v1/agents")),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-merges-slashes",
        kills=_cases("NET-TARGET-003", "slashes-before", "slashes-inside", "slashes-after"),
        reason="status is 200, not 404.*merge_slashes off",
        make=merge_slashes,
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-resolves-dots",
        kills=_cases("NET-TARGET-003", "dot", "two-dots", "encoded-dots"),
        reason="status is 200, not 404.*proxy_pass without a URI",
        make=lambda: resolve_dots(on=READS),
        via="proxy",
    ),
)

_METHODS = (
    CataloguedFault(
        name="proxy-answers-options-of-all-paths",
        kills=_cases("NET-METHOD-001", "list-options", "redirect-options", "nowhere-options"),
        reason="OPTIONS .* status is 204, not",
        make=lambda: answer(204, on=Match("OPTIONS", "/v1/(agents|pytest)")),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-knows-few-methods",
        kills=_cases("NET-METHOD-002", "propfind", "query", "pytest"),
        reason="header content-type is text/html.*proxy_intercept_errors off",
        make=lambda: answer(405, _PAGE, _PAGE_TYPE, on=Match("PROPFIND|QUERY|PYTEST")),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-compresses-for-everybody",
        kills=_cases("NET-ASK-001", "no-compression"),
        reason="header content-encoding is gzip, not None.*gzip off",
        make=lambda: compress_always(on=Match("GET", "/openapi.json")),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-answers-not-modified",
        kills=_cases("NET-ASK-001", "if-none-match"),
        reason="status is 304, not 200.*no proxy_cache",
        make=lambda: with_header("If-None-Match", answer(304)),
        via="proxy",
    ),
)

_UPLOADS = (
    CataloguedFault(
        name="proxy-limits-uploads",
        kills=_cases("NET-UPLOAD-001", "large", "large-chunked"),
        reason="status is 413, not 200.*client_max_body_size 64m",
        make=lambda: limit_body(100_000),
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
        kills=_cases("NET-FORWARD-001", "host", "proto"),
        reason="status and Location of .*X-Forwarded-Proto .scheme",
        make=believe_forwarded,
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-closes-each-connection",
        kills=_cases("NET-KEEP-001", "head", "redirect", "not-found", "refused-body", "method"),
        reason="8 requests in a row took 8 connections .*keepalive_timeout",
        make=lambda: change_response_header("Connection", "close"),
        via="proxy",
    ),
)

_PAGES = (
    CataloguedFault(
        name="pages-may-not-change",
        kills=(
            *_cases("NET-ORIGIN-001", "put", "patch", "delete"),
            *_cases("NET-ORIGIN-004", "get-preflight", "put-preflight", "delete-preflight"),
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
        kills=_cases("NET-ORIGIN-002", "longer", "other-port"),
        reason="allows the origin 'https://app.letta.com.+' to one of",
        make=lambda: with_header("Origin", allow_any_origin("echo"), "https://app.letta.com.+"),
    ),
    CataloguedFault(
        name="refusals-are-without-cors",
        kills=_cases("NET-ORIGIN-003", "not-found"),
        reason="allowed origins of .*: expected",
        make=lambda: strip_cors(on=Match("GET", "no-such-path")),
    ),
    CataloguedFault(
        name="caches-mix-origins-up",
        kills=_cases("NET-ORIGIN-003", "redirect"),
        reason="Vary: Origin', so that a cache gives one origin's answer to another",
        make=lambda: drop_response_header("Vary", on=Match("GET", "/v1/agents$")),
    ),
    CataloguedFault(
        name="proxy-allows-an-origin-twice",
        kills=_cases("NET-ORIGIN-004", "refused"),
        reason="header access-control-allow-origin is .*no add_header Access-Control-Allow-Origin",
        make=lambda: add_response_header(
            "Access-Control-Allow-Origin", "https://app.letta.com", on=Match("GET", "/v1/agents/nobody")
        ),
        via="proxy",
    ),
)

FAULTS = (*_DIFFERENCES, *_TARGETS, *_METHODS, *_UPLOADS, *_PAGES)
