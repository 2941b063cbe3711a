"""A local stack is a whole deployment, and each of its services can be stopped, killed, paused and brought back."""

from __future__ import annotations

import time

import httpx
import psutil
import pytest
from live_agents import block_value, call, listeners, make_agent, send

from pytest_letta.errors import ServiceError, StackError
from pytest_letta.stack.stack import ACTIONS, SERVICES, Stack


def test_the_server_answers_a_route_that_reads_data(live_stack: Stack) -> None:
    assert isinstance(call(live_stack.url, "GET", "/v1/agents/?limit=1"), list)
    assert call(live_stack.url, "GET", "/v1/health/")["version"] == live_stack.version


def test_a_message_reaches_the_scripted_model_through_the_proxy(live_stack: Stack) -> None:
    agent = make_agent(live_stack)

    assert send(live_stack.proxy_url or "", agent, "Hello there.") == ["You said: Hello there."]


def test_an_archival_passage_is_found_by_its_words(live_stack: Stack) -> None:
    agent = make_agent(live_stack, embedding="openai/text-embedding-3-small")
    call(live_stack.url, "POST", f"/v1/agents/{agent}/archival-memory", json={"text": "The cat is called Otto."})

    found = call(live_stack.url, "GET", f"/v1/agents/{agent}/archival-memory/search?query=cat")

    assert [one["content"] for one in found["results"]] == ["The cat is called Otto."]


def test_a_redirect_through_the_proxy_stays_on_its_origin(live_stack: Stack) -> None:
    answer = httpx.get(f"{live_stack.proxy_url}/v1/agents")

    assert (answer.status_code, answer.headers["location"]) == (307, f"{live_stack.proxy_url}/v1/agents/")


def test_the_proxy_passes_on_a_header_with_an_underscore(live_stack: Stack) -> None:
    answer = httpx.get(f"{live_stack.proxy_url}/v1/agents/?limit=1", headers={"user_id": "garbage"})

    assert answer.status_code == 400


def test_postgres_keeps_acknowledged_commits_when_it_is_killed(live_stack: Stack) -> None:
    agent = make_agent(live_stack)
    path = f"/v1/agents/{agent}/core-memory/blocks/human"
    call(live_stack.url, "PATCH", path, json={"value": "Bob"})

    live_stack.kill("postgres")
    live_stack.start("postgres")
    live_stack.restart("letta")

    assert block_value(live_stack.url, agent) == "Bob"


@pytest.mark.parametrize("service", SERVICES)
def test_a_restarted_service_is_a_new_process_at_the_old_address(live_stack: Stack, service: str) -> None:
    before = listeners(live_stack, service)

    live_stack.restart(service)

    assert before
    assert listeners(live_stack, service).isdisjoint(before)


@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_service_listens_no_more_until_it_is_started(live_stack: Stack, service: str) -> None:
    before = listeners(live_stack, service)

    live_stack.kill(service)
    dead = listeners(live_stack, service)
    live_stack.start(service)

    assert dead == set()
    assert listeners(live_stack, service).isdisjoint(before)


@pytest.mark.parametrize("service", SERVICES)
def test_a_paused_service_is_the_same_one_when_it_goes_on(live_stack: Stack, service: str) -> None:
    before = listeners(live_stack, service)

    live_stack.pause(service)
    paused = {process.status() for process in before}
    live_stack.resume(service)
    live_stack.start(service)  # it runs, so this only waits until it is healthy

    assert paused == {psutil.STATUS_STOPPED}
    assert listeners(live_stack, service) == before


def test_a_paused_server_answers_nothing(live_stack: Stack) -> None:
    live_stack.pause("letta")
    try:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{live_stack.url}/v1/health/", timeout=0.5)
    finally:
        live_stack.resume("letta")

    assert httpx.get(f"{live_stack.url}/v1/health/", timeout=10).status_code == 200


def test_a_stopped_server_cannot_be_paused(live_stack: Stack) -> None:
    live_stack.stop("letta")
    try:
        with pytest.raises(ServiceError, match="letta cannot be paused: it is not running"):
            live_stack.pause("letta")
    finally:
        live_stack.start("letta")


def test_each_service_shows_its_log(live_stack: Stack) -> None:
    live_stack.restart("nginx")

    assert "Application startup complete" in live_stack.logs("letta")
    assert "database system is ready to accept connections" in live_stack.logs("postgres", 400)
    assert live_stack.logs("letta", 3).count("\n") == 3


def test_a_reload_puts_new_workers_in_the_place_of_the_old(live_stack: Stack) -> None:
    (one,) = listeners(live_stack, "nginx")
    master = one if one.children() else psutil.Process(one.ppid())
    before = {*master.children()}

    live_stack.reload("nginx")

    deadline = time.monotonic() + 20
    while before & {*master.children()} and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (len(master.children()), before & {*master.children()}) == (1, set())
    assert httpx.get(f"{live_stack.proxy_url}/nginx-health").text == "healthy\n"


def test_rows_of_the_database_can_be_read(live_stack: Stack) -> None:
    found = live_stack.query("SELECT count(*) AS number, NULL AS nothing, '\"$(x)''' AS odd FROM alembic_version;")

    assert found == [{"number": 1, "nothing": None, "odd": "\"$(x)'"}]
    with pytest.raises(StackError, match=r'refused a query: .*"no_such_table" does not exist'):
        live_stack.query("SELECT * FROM no_such_table")


def test_a_service_that_does_not_exist_is_named_with_those_that_do(live_stack: Stack) -> None:
    with pytest.raises(StackError, match="no service is called 'mysql'; there are postgres, redis"):
        live_stack.restart("mysql")


def test_a_local_stack_can_do_all_that_needs_no_container(live_stack: Stack) -> None:
    able = {action for action in (*ACTIONS, "fly") if live_stack.can(action)}

    assert able == ACTIONS - {"partition", "recreate", "execute"}
    with pytest.raises(StackError, match="the local provider cannot recreate 'letta'"):
        live_stack.recreate("letta")
    with pytest.raises(StackError, match="the local provider cannot reload 'letta'"):
        live_stack.reload("letta")
