"""Exempt: monitors need no password, and what they may ask for is no way round it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import status
from pytest_letta.conformance.differential import Question
from pytest_letta.telling import answered

from .doors import EXEMPT, leak

if TYPE_CHECKING:
    import httpx

    from pytest_letta.deployment import Deployment
    from pytest_letta.settings import Settings

_MONITORS = "container healthchecks and load balancers have no password: a guarded route restarts the server for ever"
_ROUND = "the guard compares paths as text: one that reads as exempt and leads elsewhere lets everybody in"
_LIST = "/v1/agents/?limit=1"
#: A refusal, what is not there, or a way to another address, where the guard is asked again.
_HARMLESS = {301, 302, 303, 307, 308, 400, 401, 403, 404, 414}

_DOCUMENTATION = re.compile("swagger|redoc|openapi", re.IGNORECASE)

_PAGES = ("/", "/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect")
_LATEST = ("/latest/agents/?limit=1", "/latest/blocks/?limit=1", "/latest/tools/?limit=1")
_PATHS = (
    *("/v1/health/../agents/", "/v1/health/%2e%2e/agents/", "/v1/health/%2e%2e%2fagents/", "/v1/health/..;/agents/"),
    *("/v1/health/agents/", "/v1/health//agents/", "//v1/agents/", "/v1//agents/", "/./v1/agents/", "/V1/AGENTS/"),
    *("/v1/agents/?/v1/health/", "/v1/agents/;/v1/health/", "/v1/agents/%3F/v1/health/", "/v1/agents/#/v1/health/"),
)
_HEADERS = (
    *({name: "/v1/health/"} for name in ("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri", "Referer")),
    *({name: "127.0.0.1"} for name in ("X-Forwarded-For", "X-Real-IP", "X-Client-IP")),
    {"Forwarded": "for=127.0.0.1;host=localhost;proto=https"},
    {"X-HTTP-Method-Override": "OPTIONS"},
    {"X-Forwarded-User": "admin"},
    {"user_id": "user-00000000-0000-4000-8000-000000000000"},
    # A preflight is answered without a password, and this is none.
    {"Origin": "https://app.letta.com", "Access-Control-Request-Method": "GET"},
)
_WAYS = [
    pytest.param([Question(path) for path in _PAGES], id="pages"),
    pytest.param([Question(path) for path in _LATEST], id="latest"),
    pytest.param([Question(path) for path in _PATHS], id="paths"),
    pytest.param([Question(_LIST, headers=headers) for headers in _HEADERS], id="headers"),
]


def _monitored(client: httpx.Client, path: str) -> str | None:
    """Say how a route of monitors is not answered to somebody without the password, or with one that is outdated."""
    for credential in ("", "Bearer pytest-letta-outdated-password"):
        answer = client.get(path, headers={"Authorization": credential}, follow_redirects=True)
        if problem := status(answer):
            return problem
    return None


def _way_in(client: httpx.Client, questions: list[Question], secret: str) -> str | None:
    for question in questions:
        answer = Question(question.target, question.method, {"Authorization": "", **question.headers}).ask(client)
        if answer.status_code not in _HARMLESS and not _is_of_others(answer):
            return f"{question.name} passes without the password{_with(question)}: {answered(answer)}"
        if problem := leak(answer, secret):
            return problem
    return None


def _is_of_others(answer: httpx.Response) -> bool:
    """Tell whether this is health after all, the path put in order, or the page of whatever else has that address."""
    if not answer.is_success:
        return False
    if "html" in answer.headers.get("content-type", ""):
        return not _DOCUMENTATION.search(answer.text)
    return len(answer.content) < 200 and '"status"' in answer.text


def _with(question: Question) -> str:
    shown = ", ".join(f"{name}: {value}" for name, value in question.headers.items())
    return f" with {shown}" if shown else ""


@contract("NET-EXEMPT-001", needs=["password"], because=_MONITORS)
@pytest.mark.parametrize("path", [pytest.param(path, id=path[4:].replace("/", "-slash")) for path in EXEMPT])
def test_monitors_need_no_password(path: str, letta_client: httpx.Client, letta_deployment: Deployment) -> None:
    """Health and readiness, also without the slash, are answered without the password and with a wrong one."""
    if "ready" in path and not letta_deployment.can("ready"):
        not_applicable(letta_deployment.capabilities["ready"].reason)

    must(_monitored(letta_client, path))


@contract("NET-EXEMPT-002", needs=["password", "proxy"], because=_MONITORS)
def test_monitors_need_no_password_through_the_proxy(letta_proxy_client: httpx.Client) -> None:
    """Through the proxy, too, health is answered without the password and with a wrong one."""
    must(_monitored(letta_proxy_client, "/v1/health/"))


@contract("NET-EXEMPT-003", needs=["password"], because=_ROUND)
@pytest.mark.parametrize("questions", _WAYS)
def test_no_way_leads_round_the_password(
    questions: list[Question], letta_client: httpx.Client, letta_settings: Settings
) -> None:
    """Without the password nothing but health and readiness is shown: no page, no other spelling of a path."""
    must(_way_in(letta_client, questions, str(letta_settings.token)))


@contract("NET-EXEMPT-004", needs=["password", "proxy"], because=_ROUND)
@pytest.mark.parametrize("questions", _WAYS)
def test_no_way_leads_round_the_password_through_the_proxy(
    questions: list[Question], letta_proxy_client: httpx.Client, letta_settings: Settings
) -> None:
    """Through the proxy, too, nothing but health and readiness is shown without the password."""
    must(_way_in(letta_proxy_client, questions, str(letta_settings.token)))
