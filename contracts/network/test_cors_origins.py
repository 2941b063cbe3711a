"""CORS, in its corners: every method, look-alike origins, answers other than success, caches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, status
from pytest_letta.conformance.differential import CORS_HEADERS, Question
from pytest_letta.telling import answered

if TYPE_CHECKING:
    import httpx

    from pytest_letta.settings import Settings

    from .conftest import Differing

#: Letta adds it to whatever origins are configured (letta/server/rest_api/app.py).
_ALLOWED = "https://app.letta.com"
_ALLOW_ORIGIN = "access-control-allow-origin"
_PATH = "/v1/agents/"
_CONFIGURED = (
    "Letta reads ACCEPTABLE_ORIGINS: origins as browsers send them, without a slash at the end, separated by commas; "
    "LETTA_SERVER_CORS_ORIGINS is ignored"
)


def _preflight(origin: str, method: str, fields: str = "authorization,content-type") -> Question:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": fields}
    # A browser sends no credentials with a preflight (Fetch standard, CORS-preflight fetch).
    return Question(_PATH, "OPTIONS", {"Origin": origin, "Authorization": "", **asked})


@contract("NET-ORIGIN-001", because="a page that may read but not change shows agents which nobody can edit")
@pytest.mark.parametrize(
    "method", [pytest.param(name, id=name.lower()) for name in ("GET", "PUT", "PATCH", "DELETE")]
)
def test_preflight_allows_every_method(method: str, letta_client: httpx.Client) -> None:
    """The preflight of an allowed origin allows each method that the API has, and the headers that Letta reads."""
    fields = ("authorization", "content-type", "user_id", "x-bare-password")

    answer = _preflight(_ALLOWED, method, ",".join(fields)).ask(letta_client)

    must(status(answer, 200, 204))
    must(equal([_ALLOWED], answer.headers.get_list(_ALLOW_ORIGIN), f"allowed origins of the preflight of {method}"))
    methods = [one.strip() for one in answer.headers.get("access-control-allow-methods", "").split(",")]
    must(contains(methods, method, "allowed methods of the preflight"))
    allowed = [one.strip() for one in answer.headers.get("access-control-allow-headers", "").lower().split(",")]
    for name in fields:
        must(contains(allowed, name, f"allowed headers of the preflight of {method}"))


@contract(
    "NET-ORIGIN-002", because="origins are compared as a whole: who may register a look-alike must not be let in"
)
@pytest.mark.parametrize(
    "origin",
    [
        pytest.param(f"{_ALLOWED}.pytest-letta.invalid", id="longer"),
        pytest.param("https://pytest-letta-app.letta.com.invalid", id="around"),
        pytest.param("https://pytest-letta.invalid/app.letta.com", id="in-the-path"),
        pytest.param("http://app.letta.com", id="other-scheme"),
        pytest.param(f"{_ALLOWED}:8443", id="other-port"),
        pytest.param("https://appXletta.com", id="dot-as-wildcard"),
        pytest.param("null", id="null"),
        pytest.param("*", id="star"),
    ],
)
def test_look_alike_origins_are_not_allowed(origin: str, letta_client: httpx.Client) -> None:
    """An origin that merely resembles an allowed one is allowed in no preflight and in no answer."""
    for question in (_preflight(origin, "POST"), Question("/v1/health/", headers={"Origin": origin})):
        answer = question.ask(letta_client)
        origins = answer.headers.get_list(_ALLOW_ORIGIN)
        with_credentials = answer.headers.get("access-control-allow-credentials") == "true"
        if "*" in origins and not with_credentials:
            continue  # open to all, without anybody's cookies or password: a choice, and told as such
        must(f"{question.name} allows the origin {origins[0]!r} to one of {origin!r}" if origins else None)


@contract("NET-ORIGIN-003", level="should", because="without it a page sees 'network error' in place of the reason")
@pytest.mark.parametrize(
    "question",
    [
        pytest.param(Question("/v1/pytest-letta-no-such-path"), id="not-found"),
        pytest.param(Question("/v1/agents/nobody"), id="refused"),
        pytest.param(Question("/v1/health/", "OPTIONS"), id="method-not-allowed"),
        pytest.param(Question("/v1/agents?limit=1"), id="redirect"),
        # Letta 0.16.8 answers 500 to it, others refuse it: the one must be readable as the other.
        pytest.param(Question("/v1/agents/?limit=-1"), id="database-error"),
    ],
)
def test_pages_may_read_refusals(question: Question, letta_client: httpx.Client) -> None:
    """Refusals and redirects name an allowed origin, and say that they depend on it, as successes do."""
    answer = Question(question.target, question.method, {"Origin": _ALLOWED}).ask(letta_client)

    must(equal([_ALLOWED], answer.headers.get_list(_ALLOW_ORIGIN), f"allowed origins of {question.name}"))
    varies = [one.strip().lower() for one in answer.headers.get("vary", "").split(",")]
    mixed_up = f"{question.name} lacks 'Vary: Origin', so that a cache gives one origin's answer to another"
    must(mixed_up if not {"origin", "*"} & set(varies) else None)


@contract(
    "NET-ORIGIN-005",
    level="should",
    needs=["write"],
    because="an internal error without the header looks to a page as if the server were away",
)
def test_pages_may_read_internal_errors(letta_client: httpx.Client) -> None:
    """An error that the server did not foresee can be read by an allowed origin, as all other answers can."""
    # In Letta up to 0.16.8 the route fails whatever it is asked; where it works, its refusal must be readable.
    body = b'{"password": "pytest-letta-nobody"}'
    headers = {"Origin": _ALLOWED, "Content-Type": "application/json"}

    answer = Question("/v1/auth", "POST", headers, body).ask(letta_client)

    must(equal([_ALLOWED], answer.headers.get_list(_ALLOW_ORIGIN), f"allowed origins of {answered(answer)}"))


@contract(
    "NET-ORIGIN-006",
    needs=["origin"],
    because="of three variables that look right one is read: letta-ai/letta#2697, and pages see 'network error'",
)
def test_configured_origin_is_allowed(letta_settings: Settings, letta_client: httpx.Client) -> None:
    """The origin that the server was configured to allow is allowed in preflights and answers, another port not."""
    origin = str(letta_settings.origin)
    elsewhere = _preflight(f"{origin}1" if origin[-1].isdigit() else f"{origin}:8443", "PATCH")

    for question in (_preflight(origin, "PATCH"), Question("/v1/health/", headers={"Origin": origin})):
        problem = equal([origin], _allowed(question, letta_client), _of(question))
        must(f"{problem} ({_CONFIGURED})" if problem else None)
    must(equal([], _allowed(elsewhere, letta_client), _of(elsewhere)))


def _allowed(question: Question, client: httpx.Client) -> list[str]:
    return question.ask(client).headers.get_list(_ALLOW_ORIGIN)


def _of(question: Question) -> str:
    return f"allowed origins of {question.name} from {question.headers['Origin']}"


@contract("NET-ORIGIN-004", needs=["proxy"], because="a proxy that has CORS rules of its own overrides the server's")
@pytest.mark.parametrize(
    "question",
    [
        *(
            pytest.param(_preflight(_ALLOWED, name), id=f"{name.lower()}-preflight")
            for name in ("GET", "PUT", "DELETE")
        ),
        pytest.param(_preflight("https://pytest-letta.invalid", "POST"), id="foreign-preflight"),
        pytest.param(_preflight("null", "POST"), id="null-preflight"),
        pytest.param(Question("/v1/health/", headers={"Origin": "https://pytest-letta.invalid"}), id="foreign"),
        pytest.param(Question("/v1/agents/nobody", headers={"Origin": _ALLOWED}), id="refused"),
        pytest.param(Question("/v1/agents?limit=1", headers={"Origin": _ALLOWED}), id="redirect"),
    ],
)
def test_proxy_has_no_cors_rules_of_its_own(question: Question, differing: Differing) -> None:
    """Preflights and answers to pages are the same through the proxy, whatever their origin."""
    must(differing(question, CORS_HEADERS))
