"""Faults that proxies have by their configuration: they tidy up, answer by themselves, believe clients."""

from __future__ import annotations

import gzip
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, urlsplit

from pytest_letta.faults.fault import EVERYTHING, Fault, Forward, Match, OnRequest, OnResponse, Request, Response

_PAGE = b"<html><head><title>Request refused</title></head></html>"
#: What nginx leaves as it is when it writes a decoded path anew.
_LEFT = "/!$&'()*+,;=:@~-._"


@dataclass(frozen=True)
class _WithHeader(Fault):
    name: str
    fault: Fault
    value: str

    def serve(self, request: Request, forward: Forward) -> Response:
        given = request.header(self.name)
        is_meant = given is not None and re.fullmatch(self.value, given)
        return self.fault.serve(request, forward) if is_meant else forward(request)


def with_header(name: str, fault: Fault, value: str = ".*") -> Fault:
    """Show the fault on requests that carry the header, with a value that the regex matches, and on no others."""
    return _WithHeader(name, fault, value)


def decode_twice(*, on: Match = EVERYTHING) -> Fault:
    """Decode the path twice and encode it anew, as two proxies in a row do whose ``proxy_pass`` has a URI."""
    return _on_path(lambda path: quote(unquote(unquote(path, "latin-1"), "latin-1"), _LEFT, "latin-1"), on)


def merge_slashes(*, on: Match = EVERYTHING) -> Fault:
    """Forward one slash for several."""
    return _on_path(lambda path: re.sub("//+", "/", path), on)


def resolve_dots(*, on: Match = EVERYTHING) -> Fault:
    """Forward the path without dot segments, encoded ones included."""

    def change(path: str) -> str:
        plain = re.sub("%2e", ".", path, flags=re.IGNORECASE)
        end = "/" if plain.endswith("/") and plain != "/" else ""
        return posixpath.normpath(plain) + end if "/." in plain else path

    return _on_path(change, on)


def lose_query(*, on: Match = EVERYTHING) -> Fault:
    """Forward the path alone."""
    return OnRequest(lambda request: replace(request, target=request.path), on=on)


def decode_query(*, on: Match = EVERYTHING) -> Fault:
    """Decode the query once, and encode only what a request line cannot hold."""

    def change(request: Request) -> Request:
        path, mark, query = request.target.partition("?")
        return replace(request, target=path + mark + quote(unquote(query, "latin-1"), _LEFT + "?#[]|", "latin-1"))

    return OnRequest(change, on=on)


def intercept_errors(*statuses: int, on: Match = EVERYTHING) -> Fault:
    """Answer with a page of its own in place of the server's errors (as nginx's proxy_intercept_errors)."""

    def change(request: Request, response: Response) -> Response:
        if response.status not in statuses:
            return response
        page = f"<html><body><h1>{response.status}</h1><hr>nginx</body></html>".encode()
        return response.with_header("Content-Type", "text/html").with_body(page)

    return OnResponse(change, on=on)


def compress_always(*, on: Match = EVERYTHING) -> Fault:
    """Compress answers, whether or not the client takes that."""

    def change(request: Request, response: Response) -> Response:
        return response.with_body(gzip.compress(response.read())).with_header("Content-Encoding", "gzip")

    return OnResponse(change, on=on)


def believe_forwarded(*, on: Match = EVERYTHING) -> Fault:
    """Let ``X-Forwarded-Host`` and ``X-Forwarded-Proto`` of the client decide where redirects lead."""

    def change(request: Request, response: Response) -> Response:
        location = response.header("Location")
        if location is None:
            return response
        there = urlsplit(location)
        scheme, host = request.header("X-Forwarded-Proto"), request.header("X-Forwarded-Host")
        moved = there._replace(scheme=scheme or there.scheme, netloc=host or there.netloc)
        return response.with_header("Location", moved.geturl())

    return OnResponse(change, on=on)


def refuse_framing(name: str, status: int, *, on: Match = EVERYTHING) -> Fault:
    """Refuse bodies that come by ``expect`` or ``transfer-encoding``, as old proxies do: with 417, with 411."""

    def change(request: Request) -> Request | Response:
        return Response.of(status, _PAGE, "text/html") if name in request.framing else request

    return OnRequest(change, on=on)


def hurry_uploads(limit_s: float, *, on: Match = EVERYTHING) -> Fault:
    """Answer 408 to a body that took longer to come (as nginx's client_body_timeout, over the whole of it)."""

    def change(request: Request) -> Request | Response:
        return Response.of(408, _PAGE, "text/html") if request.upload_s > limit_s else request

    return OnRequest(change, on=on)


def _on_path(change: Callable[[str], str], on: Match) -> Fault:
    def changed(request: Request) -> Request:
        path, mark, query = request.target.partition("?")
        return replace(request, target=change(path) + mark + query)

    return OnRequest(changed, on=on)
