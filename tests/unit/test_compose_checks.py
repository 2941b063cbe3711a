"""Checks of compose files: what is unusual and right is no finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from composed import composed

from pytest_letta.compose.checks import exposure, health, server, wiring
from pytest_letta.compose.file import ComposeFile
from pytest_letta.compose.place import Finding

Check = Callable[[ComposeFile], Iterator[Finding]]


def found(check: Check, text: str, **roles: str) -> list[str]:
    return [finding.text for finding in check(composed(text, **{"letta": "letta", **roles}))]


@pytest.mark.parametrize(
    ("test", "is_right"),
    [
        ("[CMD, curl, -f, 'http://localhost:8283/v1/health/']", True),
        ("[CMD, curl, -fsSL, 'http://localhost:8283/v1/health']", True),
        ("[CMD-SHELL, 'curl --fail --location http://localhost:8283/v1/health || exit 1']", True),
        ("[CMD-SHELL, 'curl -s http://localhost:8283/v1/health/ | grep -q ok']", True),
        ("[CMD, wget, -qO-, 'http://localhost:8283/v1/health']", True),
        ("[CMD, python3, -c, \"import urllib.request as u; u.urlopen('http://localhost:8283/v1/health')\"]", True),
        ("[CMD, test, -f, /ready]", True),
        ("[CMD-SHELL, 'curl -f http://localhost:8283/v1/health || exit 1']", False),
        ("[CMD, curl, --silent, 'http://localhost:8283/v1/health/']", False),
        ("[CMD, curl, -f, 'http://localhost:8283/health']", False),
    ],
)
def test_a_health_check_that_reaches_the_server_is_no_finding(test, is_right) -> None:
    text = f"services:\n  letta:\n    image: letta/letta:1\n    healthcheck:\n      test: {test}\n"

    assert (found(health.asks_the_server, text) == []) == is_right


@pytest.mark.parametrize(
    ("times", "is_short"),
    [
        ("", False),  # 30 s, three times
        ("interval: 10s, retries: 3", False),
        ("interval: 5s, retries: 5", True),
        ("interval: 5s, start_period: 1m0s", False),
        ("interval: 500ms, retries: 40, start_period: 9.5s", True),
    ],
)
def test_the_patience_of_a_health_check_is_reckoned_as_the_engine_does(times, is_short) -> None:
    text = f"""
        services:
          letta: {{image: "letta/letta:1", healthcheck: {{test: [CMD, "true"], {times}}}}}
          app: {{image: "app:1", depends_on: {{letta: {{condition: service_healthy}}}}}}
    """

    assert bool(found(health.leaves_time, text)) == is_short
    assert found(health.leaves_time, text.replace("service_healthy", "service_started")) == []


def test_what_may_bring_its_own_health_check_is_not_judged() -> None:
    text = """
        services:
          letta: {build: {context: .}}
          db: {image: "supabase/postgres:15.1"}
          app: {image: "shop:1", depends_on: {mq: {condition: service_healthy}}}
          mq: {image: "mq:1"}
    """

    assert found(health.is_told, text, postgres="db") == []


@pytest.mark.parametrize(
    ("app", "count"),
    [
        ("{image: x, environment: {NEXT_PUBLIC_LETTA_BASE_URL: 'http://localhost:8283'}}", 0),
        ("{image: x, environment: {LETTA_BASE_URL: 'http://host.docker.internal:8283'}}", 0),
        ("{image: x, network_mode: 'service:letta', environment: {LETTA_BASE_URL: 'http://localhost:8283'}}", 0),
        ("{image: x, network_mode: host, environment: {LETTA_BASE_URL: 'http://localhost:8283'}}", 0),
        ("{image: x, environment: {LETTA_BASE_URL: 'http://localhost:8283'}}", 1),
        ("{image: x, environment: {LETTA_HOST: '127.0.0.1'}}", 1),
    ],
)
def test_localhost_is_a_finding_where_it_is_another_container(app, count) -> None:
    text = f"services: {{letta: {{image: 'letta/letta:1'}}, app: {app}}}"

    assert len(found(wiring.nobody_looks_inside, text)) == count


@pytest.mark.parametrize(
    ("variables", "command", "is_open"),
    [
        ("{LETTA_SERVER_PASSWORD: p, SECURE: 'true'}", "null", False),
        ("{LETTA_SERVER_PASSWORD: p, LETTA_SERVER_SECURE: 'true'}", "[letta, server]", False),
        ("{LETTA_SERVER_PASSWORD: p}", "[letta, server, --secure]", False),
        ("{LETTA_SERVER_PASSWORD: p, SECURE: 'true'}", "[/mine.sh]", False),
        ("{LETTA_SERVER_PASSWORD: p, SECURE: 'true'}", "[letta, server]", True),
        ("{LETTA_SERVER_PASSWORD: p, LETTA_SERVER_SECURE: 'True'}", "null", True),
        ("{}", "null", False),
    ],
)
def test_a_password_counts_as_asked_for_by_each_switch(variables, command, is_open) -> None:
    text = f"services: {{letta: {{image: 'letta/letta:1', command: {command}, environment: {variables}}}}}"

    assert bool(found(exposure.password_is_asked_for, text)) == is_open


@pytest.mark.parametrize(
    "image", ["letta/letta:0.16.8", "letta/letta@sha256:00", "reg:5000/letta:1", "letta/letta:v1"]
)
def test_a_version_or_a_digest_pins_an_image(image) -> None:
    assert found(server.images_are_pinned, f"services: {{letta: {{image: '{image}'}}}}") == []


@pytest.mark.parametrize("image", ["letta/letta", "letta/letta:latest", "reg:5000/letta"])
def test_an_image_that_moves_is_a_finding(image) -> None:
    assert len(found(server.images_are_pinned, f"services: {{letta: {{image: '{image}'}}}}")) == 1


@pytest.mark.parametrize(
    ("count", "job", "is_found"),
    [
        ("deploy: {replicas: 3}", "condition: service_started", True),
        ("scale: 2", "condition: service_started", True),
        ("deploy: {replicas: 3}", "condition: service_completed_successfully", False),
        ("deploy: {replicas: 1}", "condition: service_started", False),
        ("scale: 2, restart: always", "condition: service_started", False),
        ("deploy: {replicas: 2, restart_policy: {condition: on-failure}}", "condition: service_started", False),
        ("deploy: {replicas: 2, restart_policy: {condition: none}}", "condition: service_started", True),
    ],
)
def test_replicas_need_somebody_who_migrates_before(count, job, is_found) -> None:
    text = f"""
        services:
          letta: {{image: "letta/letta:1", {count}, depends_on: {{first: {{{job}}}}}}}
          first: {{image: "letta/letta:1", command: [alembic, upgrade, head]}}
    """

    assert bool(found(server.replicas_take_turns, text)) == is_found


def test_a_pool_of_an_old_release_is_read() -> None:
    text = "services: {{letta: {{image: 'letta/letta:{}', environment: {{LETTA_PG_POOL_SIZE: '50'}}}}}}"

    assert found(server.variables_are_read, text.format("0.11.7")) == []
    assert len(found(server.variables_are_read, text.format("0.12.0"))) == 1
