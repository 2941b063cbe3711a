"""Guard: where a password is set, every documented operation asks for it, and its refusal tells nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, refused

from .doors import doors, open_doors

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent
    from pytest_letta.deployment import Deployment
    from pytest_letta.settings import Settings

_OPEN = "one operation without a guard is enough: POST /v1/tools/run executes code: CVE-2025-51482"
_TELLING = "a refusal that depends on the id tells which ids exist"
_WRONG = "pytest-letta-wrong-password"
_NOBODY = "agent-00000000-0000-4000-8000-000000000000"
_JSON = {"Content-Type": "application/json"}
_STRANGERS = [
    pytest.param({"Authorization": ""}, id="none"),
    pytest.param({"Authorization": f"Bearer {_WRONG}", "X-BARE-PASSWORD": f"password {_WRONG}"}, id="wrong"),
]


@contract("NET-GUARD-001", needs=["password"], because=_OPEN)
@pytest.mark.parametrize("credentials", _STRANGERS)
def test_every_operation_asks_for_the_password(
    credentials: Mapping[str, str], letta_client: httpx.Client, letta_deployment: Deployment, letta_settings: Settings
) -> None:
    """Without the password, or with a wrong one, every documented operation is refused with 401 and shows nothing.

    Nothing can happen to a server that turns out to be open: see `doors`.
    """
    must(open_doors(doors(letta_deployment), letta_client, credentials, str(letta_settings.token)))


@contract("NET-GUARD-002", needs=["password", "proxy"], because=_OPEN)
@pytest.mark.parametrize("credentials", _STRANGERS)
def test_every_operation_asks_for_the_password_through_the_proxy(
    credentials: Mapping[str, str],
    letta_proxy_client: httpx.Client,
    letta_deployment: Deployment,
    letta_settings: Settings,
) -> None:
    """Through the proxy, too, every documented operation is refused without the password or with a wrong one."""
    must(open_doors(doors(letta_deployment), letta_proxy_client, credentials, str(letta_settings.token)))


@contract("NET-GUARD-003", needs=["password"], because="SDKs send the bearer form, the web UI the other")
@pytest.mark.parametrize("form", [pytest.param("bearer", id="bearer"), pytest.param("bare", id="bare")])
def test_every_operation_takes_the_password(
    form: str, letta_client: httpx.Client, letta_deployment: Deployment, letta_settings: Settings
) -> None:
    """With the password, in either header, no documented operation is refused for the lack of one."""
    bare = {"Authorization": "", "X-BARE-PASSWORD": f"password {letta_settings.token}"}
    # It has later versions refuse the request for what it is before they look for anything.
    nobody = {"user_id": "pytest-letta-no-user"}
    asked = doors(letta_deployment)

    refusals = [
        door.operation
        for door in asked
        if door.ask(letta_client, nobody if form == "bearer" else bare | nobody).status_code in {401, 403}
    ]
    shown = f"{', '.join(refusals[:3])}{' and others' if len(refusals) > 3 else ''}"
    must(f"{len(refusals)} of {len(asked)} operations are refused with the password: {shown}" if refusals else None)


@contract("NET-GUARD-004", needs=["password", "agents"], because=_TELLING)
@pytest.mark.parametrize(
    ("method", "below", "content"),
    [
        pytest.param("GET", "/messages?limit=1", None, id="messages"),
        pytest.param("GET", "/core-memory/blocks/human", None, id="block"),
        pytest.param("PATCH", "", b"{}", id="update"),
        pytest.param("DELETE", "", None, id="deletion"),
        pytest.param("POST", "/messages", b"{}", id="turn"),
    ],
)
def test_refusals_do_not_depend_on_the_id(method: str, below: str, content: bytes | None, letta_agent: Agent) -> None:
    """Without the password a refusal is the same for an id that exists, one that does not, and what is no id."""
    answers = [
        letta_agent.client.request(
            method, f"/v1/agents/{id}{below}", content=content, headers={**_JSON, "Authorization": ""}
        )
        for id in (letta_agent.id, _NOBODY, "nobody")
    ]

    must(refused(answers[0], 401))
    first, *others = ((one.status_code, one.headers.get("content-length"), one.text) for one in answers)
    for seen, id in zip(others, (_NOBODY, "nobody"), strict=True):
        must(equal(first, seen, f"refusal of {method} of {id}"))
