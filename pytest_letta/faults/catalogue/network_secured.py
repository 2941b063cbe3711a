"""Faults of a server that asks for a password, and of a proxy before it."""

from __future__ import annotations

import re
from collections.abc import Callable

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.fault import CataloguedFault, Fault, Match, together
from pytest_letta.faults.net import add_request_header, demand_password, drop_request_header, strip_cors
from pytest_letta.faults.proxies import resolve_dots, with_header
from pytest_letta.faults.rest import change_status

_OPEN = "the server is open: LETTA_SERVER_PASSWORD alone protects nothing"
_INNARDS = b'{"detail": "Traceback (most recent call last): File \\"/app/letta/server/server.py\\""}'
_RUN = Match("POST", "/v1/tools/run$")
_WAYS = ("pages", "latest", "paths", "headers")


def secured_faults(password: str) -> tuple[CataloguedFault, ...]:
    """Return the faults of a server that is secured with `password`."""
    right = f"Bearer {password}"

    def let_in(on: Match) -> Fault:
        return add_request_header("Authorization", right, on=on)

    return (*_holes(let_in(Match()), let_in(_RUN)), *_REFUSALS, *_KEYS, _parts(password), *_ways(let_in))


def _holes(all_let_in: Fault, one_let_in: Fault) -> tuple[CataloguedFault, ...]:
    return (
        CataloguedFault(
            name="password-is-ignored",
            kills=("NET-AUTH-001", "NET-AUTH-002", *cases("NET-GUARD-001", "none", "wrong")),
            reason=_OPEN,
            make=lambda: all_let_in,
        ),
        CataloguedFault(
            name="proxy-adds-the-password",
            kills=("NET-AUTH-003", *cases("NET-GUARD-002", "none", "wrong")),
            reason=_OPEN,
            make=lambda: all_let_in,
            via="proxy",
        ),
        CataloguedFault(
            name="one-operation-is-not-guarded",
            kills=cases("NET-GUARD-001", "none", "wrong"),
            reason=r"^1 of the \d+ .* is let in: POST /v1/tools/run answered 422.*a rule of a proxy or a gateway",
            make=lambda: one_let_in,
        ),
    )


_REFUSALS = (
    CataloguedFault(
        name="refusal-shows-innards",
        kills=cases("NET-GUARD-001", "none", "wrong"),
        reason="1 of the .* tells too much: GET /v1/steps/ answered 401.*it shows 'Traceback'",
        make=lambda: change_status(401, only=401, body=_INNARDS, on=Match("GET", "/v1/steps/$")),
    ),
    CataloguedFault(
        name="refusal-is-a-page",
        kills=cases("NET-GUARD-001", "none"),
        reason="refused in another way than the others: GET /v1/tags/ answered 401.*expected a JSON error body",
        make=lambda: demand_password(on=Match("GET", "/v1/tags/$")),
    ),
    CataloguedFault(
        name="refusal-tells-which-ids-exist",
        kills=("NET-AUTH-006", *cases("NET-GUARD-004", "messages", "block", "update", "deletion", "turn")),
        reason="refusal of .*: expected",
        make=lambda: change_status(404, only=401, on=Match(path="/v1/agents/agent-00000000-")),
    ),
    CataloguedFault(
        name="refusals-cannot-be-read-by-pages",
        kills=("NET-AUTH-010",),
        reason="allowed origins of a refusal: expected",
        make=lambda: strip_cors(on=Match("GET", "/v1/agents/$")),
    ),
)

_KEYS = (
    CataloguedFault(
        name="bare-password-is-not-taken",
        kills=("NET-AUTH-004", "NET-GUARD-003[bare]"),
        reason="answered 401|operations are refused with the password: GET",
        make=lambda: drop_request_header("X-BARE-PASSWORD"),
    ),
    CataloguedFault(
        name="proxy-drops-the-bare-password",
        kills=("NET-AUTH-007",),
        reason="answered 401",
        make=lambda: drop_request_header("X-BARE-PASSWORD"),
        via="proxy",
    ),
    CataloguedFault(
        name="one-operation-does-not-take-the-password",
        kills=("NET-GUARD-003[bearer]",),
        reason=r"^1 of \d+ operations are refused with the password: POST /v1/tools/run$",
        make=lambda: drop_request_header("Authorization", on=_RUN),
    ),
    CataloguedFault(
        name="health-asks-for-the-password",
        kills=("NET-AUTH-005", *cases("NET-EXEMPT-001", "health", "health-slash", "ready", "ready-slash")),
        reason="/v1/(health|ready)/? answered 401",
        make=lambda: demand_password(on=Match("GET", "/v1/(health|ready)/?$")),
    ),
    CataloguedFault(
        name="proxied-health-asks-for-the-password",
        kills=("NET-EXEMPT-002",),
        reason="/v1/health/ answered 401",
        make=lambda: demand_password(on=Match("GET", "/v1/health/$")),
        via="proxy",
    ),
)


def _parts(password: str) -> CataloguedFault:
    right = add_request_header("Authorization", f"Bearer {password}")
    loosely = f"Bearer( null|{re.escape(f' {password[:-1]}')}.*)?"
    return CataloguedFault(
        name="password-is-compared-loosely",
        kills=cases("NET-AUTH-008", "longer", "shorter", "no-token", "null", "bare-longer", "bare-empty"),
        reason="answered 200",
        make=lambda: together(with_header("Authorization", right, loosely), with_header("X-BARE-PASSWORD", right)),
    )


def _round(let_in: Callable[[Match], Fault]) -> Fault:
    """Let in by what a request says of itself: its path begins as that of health, or names a page or /latest."""
    return together(
        let_in(Match("GET", "^/(docs|openapi|latest)|^/v1/health/")),
        with_header("X-Original-URL", let_in(Match("GET")), "/v1/health/"),
        resolve_dots(),
    )


def _ways(let_in: Callable[[Match], Fault]) -> tuple[CataloguedFault, ...]:
    seen = "^GET .* passes without the password( with X-Original-URL: .*)?: GET .* answered 200"
    return (
        CataloguedFault(
            name="ways-lead-round-the-password",
            kills=cases("NET-EXEMPT-003", *_WAYS),
            reason=seen,
            make=lambda: _round(let_in),
        ),
        CataloguedFault(
            name="ways-lead-round-the-password-through-the-proxy",
            kills=cases("NET-EXEMPT-004", *_WAYS),
            reason=seen,
            make=lambda: _round(let_in),
            via="proxy",
        ),
    )
