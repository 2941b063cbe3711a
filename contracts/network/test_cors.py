"""CORS: browsers of allowed origins may call the server, those of others may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, status

if TYPE_CHECKING:
    import httpx

#: Letta adds it to whatever origins are configured (letta/server/rest_api/app.py).
_ALLOWED = "https://app.letta.com"
_FOREIGN = "https://pytest-letta.invalid"
_ALLOW_ORIGIN = "access-control-allow-origin"
_CURE = (
    "nginx: no add_header Access-Control-..., no `return 204` to OPTIONS, no limit_except, no proxy_cache: "
    "Letta answers pages of every origin by itself"
)


def _preflight(client: httpx.Client, origin: str) -> httpx.Response:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    # A browser sends no credentials with a preflight (Fetch standard, CORS-preflight fetch).
    return client.options("/v1/agents/", headers={"Origin": origin, "Authorization": "", **asked})


def _allowed_problem(answer: httpx.Response) -> str | None:
    methods = answer.headers.get("access-control-allow-methods", "")
    headers = answer.headers.get("access-control-allow-headers", "").lower()
    return (
        status(answer, 200, 204)
        or equal([_ALLOWED], answer.headers.get_list(_ALLOW_ORIGIN), "allowed origins of the preflight")
        or contains(methods, "POST", "allowed methods of the preflight")
        or contains(headers, "authorization", "allowed headers of the preflight")
    )


def _foreign_problem(answer: httpx.Response) -> str | None:
    """Say so when a browser on a foreign page would be let in."""
    origins = answer.headers.get_list(_ALLOW_ORIGIN)
    if _FOREIGN in origins:
        return f"the foreign origin {_FOREIGN} is allowed: it is echoed by {answer.request.method}"
    if "*" in origins and answer.headers.get("access-control-allow-credentials") == "true":
        return f"any origin is allowed together with credentials by {answer.request.method}"
    return None


@contract("NET-CORS-001", because="the web UI asks before every call: letta-ai/letta#2697")
def test_preflight_of_an_allowed_origin_is_answered(letta_client: httpx.Client) -> None:
    """The preflight of an allowed origin is answered without a password and allows the call."""
    must(_allowed_problem(_preflight(letta_client, _ALLOWED)))


@contract("NET-CORS-002", because="a page that the user happens to visit must not reach the server with his cookies")
def test_foreign_origin_is_not_allowed(letta_client: httpx.Client) -> None:
    """A foreign origin is not allowed, in no preflight and in no answer."""
    must(_foreign_problem(_preflight(letta_client, _FOREIGN)))
    must(_foreign_problem(letta_client.get("/v1/health/", headers={"Origin": _FOREIGN})))


@contract("NET-CORS-003", needs=["proxy"], because="a proxy that adds its own CORS header makes browsers refuse both")
def test_proxy_leaves_cors_alone(letta_proxy_client: httpx.Client) -> None:
    """Through the proxy an allowed origin is named once, and a foreign one is not allowed."""
    simple = letta_proxy_client.get("/v1/health/", headers={"Origin": _ALLOWED})

    problem = (
        _allowed_problem(_preflight(letta_proxy_client, _ALLOWED))
        or _foreign_problem(_preflight(letta_proxy_client, _FOREIGN))
        or status(simple)
        or equal([_ALLOWED], simple.headers.get_list(_ALLOW_ORIGIN), "allowed origins of GET /v1/health/")
    )
    must(f"{problem} ({_CURE})" if problem else None)
