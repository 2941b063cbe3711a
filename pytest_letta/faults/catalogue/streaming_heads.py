"""Faults that break the head of a stream or its refusal: of the server, and of a proxy before it."""

from __future__ import annotations

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.fault import CataloguedFault, Match
from pytest_letta.faults.net import add_response_header, change_response_header, drop_response_header
from pytest_letta.faults.proxies import compress_always, intercept_errors
from pytest_letta.faults.stream import change_content_type

_STREAM = Match("POST", "/messages/stream$")
_ANY = Match("POST", r"/stream$|/conversations/[^/]+/messages$|/chat/completions$")

_WAYS = ("proxied-steps", "proxied-tokens")


FAULTS = (
    CataloguedFault(
        name="stream-may-be-stored",
        kills=("SSE-HEAD-001",),
        reason=r"head of the stream \(steps\): it may be stored, with cache-control public",
        make=lambda: add_response_header("Cache-Control", "public, max-age=600", on=_ANY),
    ),
    CataloguedFault(
        name="stream-is-called-nothing",
        kills=("SSE-HEAD-001",),
        reason=r"head of the stream \(steps\): its content type is missing",
        make=lambda: drop_response_header("Content-Type", on=_ANY),
    ),
    CataloguedFault(
        name="proxy-loses-the-content-type",
        kills=("SSE-PROXY-001", *cases("SSE-FRAME-001", *_WAYS), "SSE-HEAD-001[proxied]"),
        reason="content type.*nginx.*no proxy_hide_header Content-Type",
        make=lambda: change_content_type("text/plain", on=_STREAM),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-packs-streams",
        kills=("SSE-HEAD-001[proxied]",),
        reason="it has content-.*nginx.*gzip off",
        make=lambda: compress_always(on=_ANY),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-has-streams-stored",
        kills=("SSE-HEAD-001[proxied]",),
        reason="it may be stored, with cache-control public, max-age=600.*no expires and no add_header Cache-Control",
        make=lambda: change_response_header("Cache-Control", "public, max-age=600", on=_ANY),
        via="proxy",
    ),
    CataloguedFault(
        name="proxy-has-error-pages-of-its-own",
        kills=(
            *cases("SSE-REFUSE-001", "proxied-no-message", "proxied-unknown-role", "proxied-no-content"),
            "SSE-REFUSE-002[proxied]",
            *cases("SSE-CHAT-004", "proxied-unknown-agent", "proxied-no-agent", "proxied-no-message"),
            *cases("SSE-RESUME-004", "proxied-unknown", "proxied-malformed"),
        ),
        reason="expected a JSON error body.*proxy_intercept_errors off and no error_page",
        make=lambda: intercept_errors(400, 404, 422, on=_ANY),
        via="proxy",
    ),
)
