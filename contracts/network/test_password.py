"""Password: where one is set, nothing but health is answered without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.conformance.checks import answered, equal, refused, status

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent
    from pytest_letta.settings import Settings

_CURE = (
    "the server is open: LETTA_SERVER_PASSWORD alone protects nothing. Start it with `letta server --secure` or "
    "LETTA_SERVER_SECURE=true (in the image: SECURE=true)"
)
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
            return f"{answered(answer)} ({_CURE})"
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
