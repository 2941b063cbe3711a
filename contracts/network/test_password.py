"""Password: where one is set, nothing but health is answered without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, refused, status
from pytest_letta.telling import answered

from .doors import CURE

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent
    from pytest_letta.settings import Settings

_OPEN = "people set a password and the server ignores it; tools/run then executes anybody's code: CVE-2025-51482"
#: Reads, a write that creates nothing, administration, and what describes the server.
_GUARDED = (
    ("GET", "/v1/agents/?limit=1"),
    ("GET", "/v1/blocks/?limit=1"),
    ("POST", "/v1/agents/"),
    ("GET", "/v1/admin/users/?limit=1"),
    ("GET", "/openapi.json"),
)
_WRONG = "pytest-letta-wrong-password"


def _guard_problem(client: httpx.Client, credentials: dict[str, str]) -> str | None:
    """Say which guarded route lets a request with these headers in, or refuses it in another way than with 401."""
    for method, path in _GUARDED:
        answer = client.request(method, path, headers=credentials, json={} if method == "POST" else None)
        if answer.status_code not in {401, 403, 307}:
            return f"{answered(answer)} ({CURE})"
        if problem := refused(answer, 401):
            return problem
    return None


@contract("NET-AUTH-001", needs=["password"], because=_OPEN)
def test_no_password_is_refused(letta_client: httpx.Client) -> None:
    """Without the password every route but health is refused with 401."""
    must(_guard_problem(letta_client, {"Authorization": ""}))


@contract("NET-AUTH-002", needs=["password"], because=_OPEN)
def test_wrong_password_is_refused(letta_client: httpx.Client) -> None:
    """With a wrong password, in either header, every route but health is refused with 401."""
    must(_guard_problem(letta_client, {"Authorization": f"Bearer {_WRONG}"}))
    must(_guard_problem(letta_client, {"Authorization": "", "X-BARE-PASSWORD": f"password {_WRONG}"}))


@contract(
    "NET-AUTH-003", needs=["password", "proxy"], because="a proxy that adds the password opens the server to all"
)
def test_proxy_does_not_open_the_server(letta_proxy_client: httpx.Client) -> None:
    """Through the proxy, too, a request without the password or with a wrong one is refused with 401."""
    must(_guard_problem(letta_proxy_client, {"Authorization": ""}))
    must(_guard_problem(letta_proxy_client, {"Authorization": f"Bearer {_WRONG}"}))


@contract("NET-AUTH-004", needs=["password"], because="SDKs send the bearer form, the web UI the other")
def test_password_is_accepted_in_both_headers(letta_client: httpx.Client, letta_settings: Settings) -> None:
    """The password is accepted as a bearer token and as X-BARE-PASSWORD."""
    bare = {"Authorization": "", "X-BARE-PASSWORD": f"password {letta_settings.token}"}

    must(status(letta_client.get("/v1/agents/", params={"limit": 1})))
    must(status(letta_client.get("/v1/agents/", params={"limit": 1}, headers=bare)))


@contract(
    "NET-AUTH-007", needs=["password", "proxy"], because="a proxy that drops one header locks half the clients out"
)
def test_password_is_accepted_in_both_headers_through_the_proxy(
    letta_proxy_client: httpx.Client, letta_settings: Settings
) -> None:
    """Through the proxy, too, the password is accepted as a bearer token and as X-BARE-PASSWORD."""
    bare = {"Authorization": "", "X-BARE-PASSWORD": f"password {letta_settings.token}"}

    must(status(letta_proxy_client.get("/v1/agents/", params={"limit": 1})))
    must(status(letta_proxy_client.get("/v1/agents/", params={"limit": 1}, headers=bare)))


@contract("NET-AUTH-008", needs=["password"], because="a comparison of a part lets in who guesses that part")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("Authorization", "Bearer {password}x", id="longer"),
        pytest.param("Authorization", "Bearer {beginning}", id="shorter"),
        pytest.param("Authorization", "Bearer", id="no-token"),
        pytest.param("Authorization", "Bearer null", id="null"),
        pytest.param("X-BARE-PASSWORD", "password {password}x", id="bare-longer"),
        pytest.param("X-BARE-PASSWORD", "password", id="bare-empty"),
    ],
)
def test_only_the_whole_password_lets_in(
    name: str, value: str, letta_client: httpx.Client, letta_settings: Settings
) -> None:
    """A part of the password, one with something behind it, and none in its place are refused with 401."""
    password = str(letta_settings.token)
    sent = {"Authorization": "", name: value.format(password=password, beginning=password[:-1])}

    must(refused(letta_client.get("/v1/agents/", params={"limit": 1}, headers=sent), 401))


@contract(
    "NET-AUTH-009",
    level="should",
    needs=["password"],
    because="a scheme has no case (RFC 9110, 11.1); who writes bearer looks for the mistake in the password",
)
def test_scheme_of_the_password_has_no_case(letta_client: httpx.Client, letta_settings: Settings) -> None:
    """The word Bearer before the password is taken in small letters too."""
    small = {"Authorization": f"bearer {letta_settings.token}"}

    must(status(letta_client.get("/v1/agents/", params={"limit": 1}, headers=small)))


@contract(
    "NET-AUTH-010",
    level="should",
    needs=["password"],
    because="a page that may not read the refusal says 'network error' in place of 'wrong password'",
)
def test_pages_may_read_the_refusal(letta_client: httpx.Client) -> None:
    """The refusal of a request without the password names the allowed origin that asked, so that pages read it."""
    origin = "https://app.letta.com"
    answer = letta_client.get("/v1/agents/", params={"limit": 1}, headers={"Authorization": "", "Origin": origin})

    must(refused(answer, 401))
    must(equal([origin], answer.headers.get_list("access-control-allow-origin"), "allowed origins of a refusal"))


@contract("NET-AUTH-005", needs=["password"], because="container healthchecks have no password")
def test_health_needs_no_password(letta_client: httpx.Client) -> None:
    """Health is answered without the password."""
    must(status(letta_client.get("/v1/health/", headers={"Authorization": ""})))


@contract(
    "NET-AUTH-006", needs=["password", "agents"], because="a refusal that depends on the id tells which ids exist"
)
def test_refusal_does_not_tell_whether_an_id_exists(letta_agent: Agent) -> None:
    """Without the password the refusal is the same for an agent that exists and for one that does not."""
    nobody = "/v1/agents/agent-00000000-0000-4000-8000-000000000000"
    existing = letta_agent.client.get(letta_agent.path, headers={"Authorization": ""})
    missing = letta_agent.client.get(nobody, headers={"Authorization": ""})

    must(refused(existing, 401))
    must(
        equal((existing.status_code, existing.text), (missing.status_code, missing.text), "refusal of an unknown id")
    )
