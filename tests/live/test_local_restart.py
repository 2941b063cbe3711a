"""A restart of Letta is a true one, forked or cold, and loses no data."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from live_agents import block_value, call, make_agent, send, server_process

from pytest_letta.stack.stack import Stack


def kill_and_start(stack: Stack) -> None:
    stack.kill("letta")
    stack.start("letta")


def restart(stack: Stack) -> None:
    stack.restart("letta")


def restart_cold(stack: Stack) -> None:
    stack.restart("letta", cold=True)


@pytest.mark.parametrize("come_back", [restart, kill_and_start, restart_cold])
def test_data_survives(live_stack: Stack, come_back: Callable[[Stack], None]) -> None:
    agent = make_agent(live_stack)
    send(live_stack.url, agent, "Remember me.")
    before = call(live_stack.url, "GET", f"/v1/agents/{agent}/messages")

    come_back(live_stack)

    assert block_value(live_stack.url, agent) == "Ann"
    assert call(live_stack.url, "GET", f"/v1/agents/{agent}/messages") == before
    assert send(live_stack.url, agent, "Again.") == ["You said: Again."]


def test_a_forked_server_is_a_new_process_in_a_session_of_its_own(live_stack: Stack) -> None:
    live_stack.restart("letta")
    first = server_process(live_stack)
    live_stack.restart("letta")
    second = server_process(live_stack)

    assert not first.is_running()
    assert second.pid != first.pid
    assert os.getsid(second.pid) == second.pid
    assert "zygote.py" in second.cmdline()[-1]


def test_a_cold_server_is_letta_itself(live_stack: Stack) -> None:
    live_stack.restart("letta", cold=True)
    command = server_process(live_stack).cmdline()
    live_stack.restart("letta")

    assert command[1].endswith("/bin/letta")
    assert command[2:] == ["server", "--host", "127.0.0.1", "--port", str(live_stack.address("letta").port)]


def test_a_killed_server_leaves_no_zombie(live_stack: Stack) -> None:
    live_stack.restart("letta")
    server = server_process(live_stack)
    zygote = server.parent()

    live_stack.kill("letta")
    children = zygote.children() if zygote else None
    live_stack.start("letta")

    assert children == []


def test_a_zygote_that_was_killed_is_replaced(live_stack: Stack) -> None:
    live_stack.restart("letta")
    server = server_process(live_stack)
    zygote = server.parent()
    assert zygote is not None

    zygote.kill()
    zygote.wait(10)
    still_there = server.is_running()
    live_stack.restart("letta")

    assert still_there
    assert not server.is_running()
    assert "zygote.py" in server_process(live_stack).cmdline()[-1]
