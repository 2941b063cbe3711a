"""Names the setting of nginx that explains why what comes through the proxy is not what the server sends."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from pytest_letta.conformance.checks import not_for_caches

#: By the status with which nginx itself refuses.
_BY_STATUS: Final = {
    204: "no `return 204` to OPTIONS: Letta answers preflights by itself",
    400: "large_client_header_buffers 8 64k; nginx writes the cause into its error_log",
    401: "no auth_basic and no auth_request: Letta asks for its password by itself, in the same header",
    403: "no deny, auth_request or limit_except in the location that leads to Letta",
    408: "client_body_timeout 60s or more: uploads may be slow",
    411: "proxy_request_buffering on, as it is by itself: bodies without a length then reach Letta with one",
    413: "client_max_body_size 64m; it is 1m unless it is set",
    414: "large_client_header_buffers 8 64k",
    417: "proxy_request_buffering on, as it is by itself: nginx then tells clients to go on",
    426: "proxy_http_version 1.1",
    429: "no limit_req or limit_conn before Letta, or larger ones",
    431: "large_client_header_buffers 8 64k",
    502: "proxy_pass must name where Letta listens now; with a name, `resolver` and a variable in proxy_pass",
    503: "no limit_req or limit_conn before Letta, or larger ones",
    504: "proxy_read_timeout 3600s",
}
_BY_HEADER: Final = {
    "access-control-allow-origin": "no add_header Access-Control-Allow-Origin: Letta sends it by itself",
    "allow": "no limit_except and no `return 405`: Letta says itself what it allows; no proxy_cache",
    "cache-control": "no expires and no add_header Cache-Control",
    "access-control-allow-credentials": "no add_header Access-Control-..., no proxy_cache: Letta answers each origin",
    "access-control-allow-headers": _BY_STATUS[204],
    "access-control-allow-methods": _BY_STATUS[204],
    "content-disposition": "no proxy_hide_header",
    "content-encoding": "gzip off, gunzip off, and no proxy_set_header Accept-Encoding",
    "content-type": "no charset, no default_type with return, no proxy_hide_header Content-Type",
    "location": (
        "proxy_set_header Host $http_host, with the port that $host loses, and proxy_redirect left at its default; "
        "for a query that is lost or changed, proxy_pass without a URI"
    ),
    "www-authenticate": "no auth_basic: Letta's own password goes through the same header",
}
UNCACHED: Final = "no proxy_cache and no proxy_force_ranges: answers of Letta are neither kept nor cut"
_UNTOUCHED = "no `if`, map or rewrite that looks at this header"
#: By the header of the request that invites the difference.
_BY_REQUEST: Final = {
    "accept": _UNTOUCHED,
    "accept-encoding": _BY_HEADER["content-encoding"],
    "cache-control": UNCACHED,
    "expect": "proxy_request_buffering on",
    "if-modified-since": UNCACHED,
    "if-none-match": UNCACHED,
    "origin": "no CORS rules: Letta answers preflights and names origins by itself",
    "range": UNCACHED,
    "x-http-method-override": _UNTOUCHED,
    "x-original-url": _UNTOUCHED,
}
_SILENT = (
    'proxy_http_version 1.1, proxy_set_header Connection "", and proxy_read_timeout 3600s; for slow uploads, '
    "client_body_timeout 60s"
)
_OWN_ERRORS = "proxy_intercept_errors off, and no error_page"
#: Of paths and of queries that are not what the client sent.
AS_IT_CAME: Final = (
    "proxy_pass without a URI, nothing after host and port, and no rewrite, so that the path goes on as it came"
)
QUERY: Final = "proxy_pass without a URI, or with $request_uri: $uri alone loses the query, and a rewrite decodes it"
_ODD_PATH = re.compile(r"//|/\.|%")
_UNBUFFERED = (
    "proxy_buffering off, proxy_http_version 1.1; or X-Accel-Buffering: no, which Letta does not send, and no "
    "proxy_ignore_headers for it"
)
_UNCUT = (
    "proxy_read_timeout 3600s, for a model may be silent for longer than its default of 60s; proxy_http_version 1.1"
)


@dataclass(frozen=True)
class Crossing:
    """What was seen of an event stream, or of its refusal, as it came through a proxy.

    `status` is None where no answer came. `headers` are in lower case. `is_cut`: it broke off, or ended without
    [DONE]. `is_held`: its events came late and together.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_cut: bool = False
    is_held: bool = False


def cure(
    target: str, sent: Mapping[str, str], seen: Collection[str], status: int | None, *, by_itself: bool, moved: bool
) -> str:
    """Return ` (nginx: ...)`, the setting that most probably is missing or too many.

    `target` is path and query of the request, `sent` its own headers, `seen` names what differs ("status",
    "header location", "body ..."), `status` is that of the proxy (None: no answer). `by_itself`: the page is the
    proxy's own. `moved`: the status of the direct answer is another one.
    """
    is_own_error = not moved and (status or 0) >= 400 and "header content-type" in seen
    by_itself = by_itself or is_own_error
    found = _of_refusal(target, status, by_itself, moved) or _of_header(seen) or _of_request(target, sent)
    return f" (nginx: {found or 'no proxy_cache, no sub_filter, no add_header in the location of Letta'})"


def stream_cure(crossing: Crossing) -> str | None:
    """Return the setting of nginx that explains what became of a stream; ``None`` where nothing of it is odd."""
    if crossing.status is None:
        return _SILENT
    kind = crossing.headers.get("content-type", "").lower()
    # Letta refuses in JSON, and up to 0.13 in an event stream.
    by_itself = "html" in kind or (crossing.status >= 400 and not re.search("json|event-stream", kind))
    if by_itself and crossing.status != 400 and crossing.status in _BY_STATUS:
        return _BY_STATUS[crossing.status]
    if by_itself:
        return "proxy_intercept_errors off and no error_page; one `location /` with proxy_pass for all paths"
    if crossing.status != 200:
        return None
    if "content-encoding" in crossing.headers:
        return "gzip off, or no text/event-stream in gzip_types; no proxy_set_header Accept-Encoding"
    if not kind.startswith("text/event-stream"):
        return _BY_HEADER["content-type"]
    if not_for_caches(crossing.headers):
        return _BY_HEADER["cache-control"]
    if crossing.is_held or "content-length" in crossing.headers:
        return _UNBUFFERED
    return _UNCUT if crossing.is_cut else None


def _of_refusal(target: str, status: int | None, by_itself: bool, moved: bool) -> str | None:
    if status is None:
        return _SILENT
    if status == 304:
        return UNCACHED
    if moved and status in _BY_STATUS and status != 400:
        return _BY_STATUS[status]
    if moved and _ODD_PATH.search(target.partition("?")[0]):
        return AS_IT_CAME
    if moved and status == 400:
        return _BY_STATUS[400]
    if moved and status in {301, 302, 303, 307, 308}:
        return "`location /` for Letta and no rewrite: a location that ends in a slash redirects by itself"
    if by_itself and moved:
        return (
            "one `location /` with proxy_pass for all paths and methods, without return, limit_except or error_page"
        )
    return _OWN_ERRORS if by_itself else None


def _of_header(seen: Collection[str]) -> str | None:
    return next((text for name, text in _BY_HEADER.items() if f"header {name}" in seen), None)


def _of_request(target: str, sent: Mapping[str, str]) -> str | None:
    path, _, query = target.partition("?")
    if _ODD_PATH.search(path):
        return AS_IT_CAME
    invited = next((text for name, text in _BY_REQUEST.items() if name in map(str.lower, sent)), None)
    if invited:
        return invited
    if sent:
        names = ", ".join(sent)
        kept = "proxy_pass_request_headers on, proxy_pass_request_body on, and no proxy_set_header that replaces"
        return f"{kept} {names}; underscores_in_headers on" if "_" in names else f"{kept} {names}"
    return QUERY if query else None
