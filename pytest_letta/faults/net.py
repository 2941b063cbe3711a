"""Faults of connections, redirects, headers, limits, credentials and CORS."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from pytest_letta.faults.fault import (
    EVERYTHING,
    CutError,
    Fault,
    Match,
    OnRequest,
    OnResponse,
    Request,
    Response,
    together,
)

HTML = "text/html"


def hang(*, on: Match = EVERYTHING) -> Fault:
    """Take the request and never answer; it ends when the client leaves or the proxy closes. Nothing is forwarded."""
    return delay(None, on=on)


def delay(seconds: float | None, *, on: Match = EVERYTHING) -> Fault:
    """Wait before forwarding, for ever with None."""

    def change(request: Request) -> Request:
        request.pause(seconds)
        return request

    return OnRequest(change, on=on)


def hang_up(*, on: Match = EVERYTHING) -> Fault:
    """Close the connection instead of answering. Nothing is forwarded."""

    def change(request: Request) -> Request:
        raise CutError("the fault hangs up")

    return OnRequest(change, on=on)


def limit_body(max_bytes: int, *, on: Match = EVERYTHING) -> Fault:
    """Answer 413 to a body longer than that, without forwarding (as nginx's client_max_body_size)."""
    return _refuse(lambda request: len(request.body) > max_bytes, 413, on)


def limit_connections(n: int, *, on: Match = EVERYTHING) -> Fault:
    """Answer 503, without forwarding, on connections that were opened while n or more others were open."""
    return _refuse(lambda request: request.connections > n, 503, on)


def limit_headers(max_bytes: int, *, on: Match = EVERYTHING) -> Fault:
    """Answer 400 to a header line longer than that, without forwarding (as nginx's large_client_header_buffers)."""

    def is_long(request: Request) -> bool:
        return any(len(name) + len(value) + 4 > max_bytes for name, value in request.headers)

    return _refuse(is_long, 400, on)


def demand_password(*, on: Match = EVERYTHING) -> Fault:
    """Answer 401 to a request without ``Authorization``, without forwarding."""
    return _refuse(lambda request: not request.header("Authorization"), 401, on)


def _refuse(when: Callable[[Request], bool], status: int, on: Match) -> Fault:
    page = f"<html><body><h1>{status}</h1></body></html>\n".encode()

    def change(request: Request) -> Request | Response:
        return Response.of(status, page, HTML) if when(request) else request

    return OnRequest(change, on=on)


def redirect_as_303(*, on: Match = EVERYTHING) -> Fault:
    """Answer 303 for 307 and 308, so that clients repeat the request as a GET without its body."""

    def change(request: Request, response: Response) -> Response:
        return response.with_status(303) if response.status in (307, 308) else response

    return OnResponse(change, on=on)


def rewrite_location(
    *,
    scheme: str | None = None,
    host: str | None = None,
    port: int | Literal["drop"] | None = None,
    drop_query: bool = False,
    on: Match = EVERYTHING,
) -> Fault:
    """Change parts of the absolute URL in Location; None keeps the part, "drop" takes the port out.

    Proxies downgrade the scheme (letta-ai/letta#3189) or lose the port. A relative Location is first made
    absolute at the proxy's origin.
    """

    def change(request: Request, response: Response) -> Response:
        location = response.header("Location")
        if location is None:
            return response
        there = urlsplit(request.origin + location if location.startswith("/") else location)
        authority = _authority(there, host, port)
        moved = there._replace(
            scheme=scheme or there.scheme, netloc=authority, query="" if drop_query else there.query
        )
        return response.with_header("Location", moved.geturl())

    return OnResponse(change, on=on)


def _authority(there: SplitResult, host: str | None, port: int | Literal["drop"] | None) -> str:
    name, colon, own_port = there.netloc.rpartition(":")
    if not colon or not own_port.isdecimal():
        name, own_port = there.netloc, ""
    wanted = own_port if port is None else "" if port == "drop" else str(port)
    return f"{host or name}:{wanted}" if wanted else host or name


def rewrite_target(pattern: str, to: str, *, on: Match = EVERYTHING) -> Fault:
    """Replace, in path and query, the first match of the regex before forwarding (``to`` as in re.sub)."""

    def change(request: Request) -> Request:
        return replace(request, target=re.sub(pattern, to, request.target, count=1))

    return OnRequest(change, on=on)


def drop_request_header(name: str, *, on: Match = EVERYTHING) -> Fault:
    """Forward without the header."""
    return OnRequest(lambda request: request.without_header(name), on=on)


def add_request_header(name: str, value: str, *, on: Match = EVERYTHING) -> Fault:
    """Forward with the header, in place of what the client sent by that name (a password, a ``user_id``)."""
    return OnRequest(lambda request: request.with_header(name, value), on=on)


def drop_response_header(name: str, *, on: Match = EVERYTHING) -> Fault:
    """Answer without the header."""
    return OnResponse(lambda request, response: response.without_header(name), on=on)


def change_response_header(name: str, value: str, *, on: Match = EVERYTHING) -> Fault:
    """Answer with the header, in place of what the server sent by that name."""
    return OnResponse(lambda request, response: response.with_header(name, value), on=on)


def add_response_header(name: str, value: str, *, on: Match = EVERYTHING) -> Fault:
    """Answer with the header next to those that the server sent by that name."""
    return OnResponse(lambda request, response: response.with_added_header(name, value), on=on)


def allow_any_origin(origin: Literal["*", "echo"] = "*", *, on: Match = EVERYTHING) -> Fault:
    """Allow every origin, with credentials: as "*", which the Fetch standard forbids, or as the one that asks.

    Concerns requests with an Origin. A preflight is answered 200 with all that it asks for, without forwarding.
    """

    def allowed(request: Request, response: Response) -> Response:
        asking = request.header("Origin")
        if asking is None:
            return response
        value = asking if origin == "echo" else origin
        granted = response.with_header("Access-Control-Allow-Origin", value)
        return granted.with_header("Access-Control-Allow-Credentials", "true")

    def preflight(request: Request) -> Request | Response:
        method = request.header("Access-Control-Request-Method")
        if request.method != "OPTIONS" or method is None:
            return request
        granted = allowed(request, Response.of(200)).with_header("Access-Control-Allow-Methods", method)
        fields = request.header("Access-Control-Request-Headers")
        return granted if fields is None else granted.with_header("Access-Control-Allow-Headers", fields)

    return together(OnRequest(preflight, on=on), OnResponse(allowed, on=on))


def strip_cors(*, on: Match = EVERYTHING) -> Fault:
    """Answer without any Access-Control header."""

    def change(request: Request, response: Response) -> Response:
        kept = tuple(pair for pair in response.headers if not pair[0].lower().startswith("access-control-"))
        return replace(response, headers=kept)

    return OnResponse(change, on=on)
