"""Probing tells what a Letta server is and can do, and what is odd about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from local_server import Call, serving

from pytest_letta.client import Recorder
from pytest_letta.deployment import Deployment, probe
from pytest_letta.errors import TargetError
from pytest_letta.exchange import Exchange

Respond = Callable[[Call], None]
PATHS: dict[str, object] = {
    "/v1/agents/": {"get": {}, "post": {}},
    "/v1/agents/{agent_id}/messages": {"get": {}, "post": {}},
    "/v1/runs/{run_id}/stream": {"post": {}},
}


def letta(
    version: object = "0.16.8",
    *,
    password: str | None = None,
    prefix: str = "",
    spec: object = None,
    **routes: Respond,
) -> Respond:
    """Answer as a Letta server does. `routes` replace single ones: health, agents, openapi, other."""
    document = {"openapi": "3.1.0", "paths": PATHS} if spec is None else spec

    def respond(call: Call) -> None:
        path = call.path.partition("?")[0].removeprefix(prefix)
        name = {"/v1/health/": "health", "/v1/agents/": "agents", "/openapi.json": "openapi"}.get(path, "other")
        if name in routes:
            routes[name](call)
        elif not call.path.startswith(prefix) or name == "other":
            call.answer(404, {"detail": "Not Found"})
        elif name == "health":
            call.answer(200, {"version": version, "status": "ok"})
        elif password is not None and call.headers.get("authorization") != f"Bearer {password}":
            call.answer(401, {"detail": "Unauthorized"})
        else:
            call.answer(200, [] if name == "agents" else document)

    return respond


def probed(respond: Respond, **arguments: Any) -> Deployment:
    with serving(respond) as server:
        return probe(server.url, timeout_s=5, **arguments)


def test_healthy_server_is_described_without_a_warning() -> None:
    with serving(letta()) as server, serving(letta()) as proxy:
        found = probe(server.url + "/", proxy.url, provider="local", extras={"model": True}, timeout_s=5)

    assert (found.url, found.proxy_url, found.version, found.provider) == (server.url, proxy.url, "0.16.8", "local")
    assert found.warnings == ()
    assert found.spec is not None
    assert found.can("agents")
    assert found.can("background")
    assert found.can("proxy")
    assert not found.can("archival")
    assert {call.method for call in server.asked} == {"GET"}


def test_prefix_of_the_path_is_kept() -> None:
    with serving(letta(prefix="/team/letta")) as server:
        found = probe(f"{server.url}/team/letta", timeout_s=5)

    assert found.url == f"{server.url}/team/letta"
    assert all(path.startswith("/team/letta/") for path in server.paths)
    called = Exchange("GET", f"{found.url}/v1/agents/?limit=3")
    assert found.operation_of(called) == "GET /v1/agents/"
    assert found.operation_of(Exchange("GET", f"{server.url}/v1/agents/")) is None


def test_exchange_through_the_proxy_is_an_operation_too() -> None:
    with serving(letta()) as server, serving(letta()) as proxy:
        found = probe(server.url, proxy.url, timeout_s=5)

    assert found.operation_of(Exchange("POST", f"{proxy.url}/v1/agents/")) == "POST /v1/agents/"
    assert found.operation_of(Exchange("POST", "http://elsewhere.test/v1/agents/")) is None


def test_password_is_sent_and_hidden() -> None:
    recorder = Recorder()
    found = probed(letta(password="s3cret"), token="s3cret", recorder=recorder)

    assert found.can("password")
    assert found.warnings == ()
    assert "s3cret" not in repr([found, recorder.exchanges, recorder.curl_since(0)])


def test_missing_password_is_refused_with_the_way_to_give_it() -> None:
    with pytest.raises(TargetError, match="asks for its password; give it with --letta-token, or set LETTA_API_KEY"):
        probed(letta(password="s3cret"))


def test_wrong_password_is_refused_without_showing_it() -> None:
    with pytest.raises(TargetError, match="refuses the password; correct --letta-token or LETTA_API_KEY") as raised:
        probed(letta(password="s3cret"), token="wr0ng-one")

    assert "wr0ng-one" not in str(raised.value)


def test_password_that_protects_nothing_is_a_warning() -> None:
    (warning,) = probed(letta(), token="s3cret").warnings

    assert "answers without one too" in warning
    assert "LETTA_SERVER_SECURE=true" in warning


@pytest.mark.parametrize(
    ("version", "warning"),
    [
        (None, "tells no version"),
        ("", "tells no version"),
        ("banana", "strange version, 'banana'"),
        ("0.32.0", "from 0.32 on, `letta` is another product"),
        ("1.0", "another product"),
    ],
)
def test_odd_version_is_a_warning(version: object, warning: str) -> None:
    found = probed(letta(version))

    assert len(found.warnings) == 1
    assert warning in found.warnings[0]


@pytest.mark.parametrize("version", ["0.5.0", "0.16.8", "0.31.9", "0.16.8.dev3+g1"])
def test_usual_version_is_none(version: str) -> None:
    found = probed(letta(version))

    assert (found.version, found.warnings) == (version, ())


@pytest.mark.parametrize(
    ("openapi", "warning"),
    [
        (lambda call: call.answer(404, {"detail": "Not Found"}), "it answers 404"),
        (lambda call: call.answer(200, "<html>docs</html>"), "a JSON NoneType, not an object"),
        (lambda call: call.answer(200, {"swagger": "2.0"}), "must be a version 3"),
        (lambda call: call.answer(200, "[" * 200_000), "a JSON NoneType, not an object"),
    ],
)
def test_without_a_spec_capabilities_are_found_by_asking(openapi: Respond, warning: str) -> None:
    def other(call: Call) -> None:
        """Serve the messages of agents; know no archival memory; want another method for the resume."""
        if "/messages?" in call.path:
            call.answer(404, {"detail": "Agent with ID agent-00000000-0000-4000-8000-000000000000 not found"})
        elif "/stream" in call.path:
            call.answer(405, {"detail": "Method Not Allowed"})
        else:
            call.answer(404, {"detail": "Not Found"})

    with serving(letta(openapi=openapi, other=other)) as server:
        found = probe(server.url, extras={"model": True}, timeout_s=5)

    assert len(found.warnings) == 1
    assert warning in found.warnings[0]
    assert found.spec is None
    assert {"agents", "messages", "resume"} <= {name for name in found.capabilities if found.can(name)}
    assert not {"archival", "blocks", "conversations"} & {name for name in found.capabilities if found.can(name)}
    assert {call.method for call in server.asked} == {"GET"}


@pytest.mark.parametrize(
    ("agents", "warning"),
    [
        (lambda call: call.answer(500, {"detail": "An unknown error occurred"}), 'answers 500: \'{"detail"'),
        (lambda call: call.answer(400, {"detail": "Circular reference"}), "answers 400"),
        (Call.hang, "is not answered within 0.3 s"),
    ],
)
def test_server_that_is_sick_behind_its_health_route_is_a_warning(agents: Respond, warning: str) -> None:
    with serving(letta(agents=agents)) as server:
        found = probe(server.url, timeout_s=0.3)

    assert "healthy by its own account" in found.warnings[0]
    assert warning in found.warnings[0]


def test_proxy_in_front_of_another_server_is_a_warning() -> None:
    with serving(letta("0.16.5")) as proxy:
        found = probed(letta(), proxy_url=proxy.url)

    assert found.warnings == (f"the proxy {proxy.url} leads to version 0.16.5, not to 0.16.8: is it another server?",)
