"""A second server beside the first of a local stack: what it is on, and that nothing of it stays."""

from __future__ import annotations

import pickle
from pathlib import Path

import httpx
import psutil
import pytest
from live_agents import block_value, call, make_agent, send, server_process

from pytest_letta.errors import StackError
from pytest_letta.stack.stack import DATABASES, SecondServer, Stack


def databases(stack: Stack) -> list[str]:
    """Return the names of the databases of the stack's Postgres."""
    found = stack.query("SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY datname")
    return [str(row["datname"]) for row in found]


def children(stack: Stack) -> list[psutil.Process]:
    """Return the servers that are forked from the process from which the first one is."""
    zygote = server_process(stack).parent()
    assert zygote is not None
    return zygote.children()


@pytest.mark.parametrize("database", DATABASES)
def test_it_has_the_agents_of_the_database_that_it_is_on(live_stack: Stack, database: str) -> None:
    agent = make_agent(live_stack)

    second = live_stack.start_second(database)
    try:
        status = httpx.get(f"{second.url}/v1/agents/{agent}").status_code
        servers = children(live_stack)
        is_shared = False
        if status == 200:
            call(second.url, "PATCH", f"/v1/agents/{agent}/core-memory/blocks/human", json={"value": "Bob"})
            is_shared = block_value(live_stack.url, agent) == "Bob"
    finally:
        live_stack.stop_second()

    assert pickle.loads(pickle.dumps(second)) == second
    assert second.database == database
    assert status == (404 if database == "empty" else 200)
    assert is_shared == (database == "same")
    assert len(servers) == 2
    assert block_value(live_stack.url, agent) == ("Bob" if is_shared else "Ann")


@pytest.mark.parametrize("database", DATABASES)
def test_nothing_of_it_stays(live_stack: Stack, database: str) -> None:
    second = live_stack.start_second(database)
    before = databases(live_stack)
    live_stack.stop_second()
    live_stack.stop_second()

    assert before == ["letta", *(["letta_second"] if database in {"empty", "dump"} else []), "postgres"]
    assert databases(live_stack) == ["letta", "postgres"]
    assert children(live_stack) == [server_process(live_stack)]
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{second.url}/v1/health/")
    folder = Path(server_process(live_stack).cwd()).parent
    assert [path for path in folder.glob("postgres*/data") if path.parent.name != "postgres"] == []


def test_an_empty_database_makes_a_server_that_works(live_stack: Stack) -> None:
    second = live_stack.start_second("empty")
    try:
        body = {"model": "openai-proxy/gpt-4o-mini"}
        agent = call(second.url, "POST", "/v1/agents/", json=body)["id"]
        said = send(second.url, agent, "Hello.")
    finally:
        live_stack.stop_second()

    assert said == ["You said: Hello."]
    assert httpx.get(f"{live_stack.url}/v1/agents/{agent}").status_code == 404


def test_the_first_is_restarted_beside_it(live_stack: Stack) -> None:
    agent = make_agent(live_stack)
    second = live_stack.start_second()
    try:
        live_stack.restart("letta")
        seen = [block_value(url, agent) for url in (live_stack.url, second.url)]
    finally:
        live_stack.stop_second()

    assert seen == ["Ann", "Ann"]


def test_a_further_one_takes_its_place(live_stack: Stack) -> None:
    started: list[SecondServer] = []
    try:
        started += [live_stack.start_second("dump"), live_stack.start_second("same")]
        servers, names = children(live_stack), databases(live_stack)
    finally:
        live_stack.stop_second()

    assert [one.database for one in started] == ["dump", "same"]
    assert len(servers) == 2
    assert "letta_second" not in names


def test_an_unknown_database_is_named_with_those_that_there_are(live_stack: Stack) -> None:
    with pytest.raises(StackError, match=r"on one of same, empty, dump, copy, not on 'cpoy'; did you mean 'copy'\?"):
        live_stack.start_second("cpoy")
