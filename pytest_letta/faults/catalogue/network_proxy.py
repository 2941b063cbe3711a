"""Faults that make a proxy answer otherwise than the server behind it, and faults of uploads and of CORS."""

from __future__ import annotations

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.fault import READS, WRITES, CataloguedFault, Match
from pytest_letta.faults.net import (
    change_response_header,
)
from pytest_letta.faults.proxies import (
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
        name="proxy-keeps-a-route-for-itself",
        kills=("NET-DIFF-004[steps]",),
        reason="GET /v1/steps/step-0.*/metrics.* status is 403, not 404.*no deny, auth_request or limit_except",
        make=lambda: answer(403, _PAGE, _PAGE_TYPE, on=Match("GET", "/v1/steps/[^/]+/metrics$")),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-has-error-pages-of-its-own",
        kills=cases("NET-DIFF-003", "deletion-of-nobody", "change-of-nobody", "no-such-path", "method-not-allowed"),
        reason="header content-type is text/html, not application/json.*proxy_intercept_errors off",
        make=lambda: intercept_errors(404, 405, on=WRITES),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-loses-bodies",
        kills=cases("NET-DIFF-003", "change", "wrong-type", "malformed-json", "not-utf-8", "empty-object")
        + cases("NET-DIFF-003", "no-content-type", "change-of-nobody"),
        reason="through the proxy: status is 422, not|through the proxy: body",
        make=lambda: lose_body(on=Match("PATCH", _ONE_AGENT)),
        via="proxy",
    ),
)

_TARGETS = (
    CataloguedFault(
        name="proxy-decodes-paths-twice",
        kills=cases("NET-TARGET-001", "encoded-twice"),
        reason="proxy_pass without a URI, nothing after host and port",
        make=lambda: decode_twice(on=READS),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-loses-queries",
        kills=cases("NET-TARGET-002", "redirected"),
        reason=r"header location is /v1/agents/, not /v1/agents/\?limit=1.*for a query that is lost",
        make=lambda: lose_query(on=Match("GET", "/v1/agents$")),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-decodes-queries-once",
        kills=cases("NET-TARGET-002", "encoded-delimiters", "space-and-plus", "redirected"),
        reason="proxy_pass without a URI, or with .request_uri|for a query that is lost",
        make=lambda: decode_query(on=Match("GET", "/v1/agents")),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-merges-slashes",
        kills=cases("NET-TARGET-003", "slashes-before", "slashes-inside", "slashes-after"),
        reason="status is 200, not 404.*proxy_pass without a URI",
        make=merge_slashes,
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-resolves-dots",
        kills=cases("NET-TARGET-003", "dot", "two-dots", "encoded-dots"),
        reason="status is 200, not 404.*proxy_pass without a URI",
        make=lambda: resolve_dots(on=READS),
        via="proxy",
    ),
)

_METHODS = (
    CataloguedFault(
        name="proxy-answers-options-of-all-paths",
        kills=cases("NET-METHOD-001", "list-options", "redirect-options", "nowhere-options"),
        reason="OPTIONS .* status is 204, not",
        make=lambda: answer(204, on=Match("OPTIONS", "/v1/(agents|pytest)")),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-knows-few-methods",
        kills=cases("NET-METHOD-002", "propfind", "query", "pytest"),
        reason="header content-type is text/html.*proxy_intercept_errors off",
        make=lambda: answer(405, _PAGE, _PAGE_TYPE, on=Match("PROPFIND|QUERY|PYTEST")),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-compresses-for-everybody",
        kills=cases("NET-ASK-001", "no-compression"),
        reason="header content-encoding is gzip, not None.*gzip off",
        make=lambda: compress_always(on=Match("GET", "/v1/tools/$")),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-answers-not-modified",
        kills=cases("NET-ASK-001", "if-none-match"),
        reason="status is 304, not 200.*no proxy_cache",
        make=lambda: with_header("If-None-Match", answer(304)),
        via="proxy",
    ),
)

FAULTS = (*_DIFFERENCES, *_TARGETS, *_METHODS)
