"""What a local stack leaves behind: nothing, however its owner ends; and two never meet."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

import httpx
import pytest
from live_agents import block_value, make_agent
from live_traces import run_folders, working_in

from pytest_letta.errors import PortTakenError, StackError
from pytest_letta.stack.local import LocalStack
from pytest_letta.stack.ports import HOST, free_ports
from pytest_letta.stack.stack import SERVICES

_OWNER = dedent(
    """
    import json, sys, tempfile
    from pathlib import Path
    from pytest_letta.stack.local import LocalStack

    tempfile.tempdir = sys.argv[2]
    stack = LocalStack(cache_dir=Path(sys.argv[1]), keep=sys.argv[3] == "keep").open()
    if sys.argv[3] == "with a second server":
        stack.start_second("copy")
    print(json.dumps({"url": stack.url, "hint": stack.kept_hint}), flush=True)
    sys.stdin.read()
    if sys.argv[3] != "forget":
        stack.close()
    """
)


@contextmanager
def owner(cache_dir: Path, temporary: Path, ending: str = "close") -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """Run a stack in a process of its own, which ends with its input."""
    command = [sys.executable, "-c", _OWNER, str(cache_dir), str(temporary), ending]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder that every user can enter, unlike `tmp_path`: under root Postgres runs as another one."""
    with tempfile.TemporaryDirectory(prefix="pytest-letta-test-") as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr("tempfile.tempdir", folder)
        yield Path(folder)


def test_a_closed_stack_leaves_nothing(temporary: Path, cache_dir: Path) -> None:
    stack = LocalStack(cache_dir=cache_dir).open()
    running = len(working_in(temporary))
    stack.close()
    stack.close()

    assert running > len(stack.services)
    assert (working_in(temporary), run_folders(temporary)) == ([], [])


@pytest.mark.parametrize("ending", ["close", "forget"])
def test_an_owner_that_ends_leaves_nothing(temporary: Path, cache_dir: Path, ending: str) -> None:
    with owner(cache_dir, temporary, ending):
        pass

    assert (working_in(temporary), run_folders(temporary)) == ([], [])


def test_what_a_killed_owner_left_is_gone_when_the_next_stack_is_up(temporary: Path, cache_dir: Path) -> None:
    with owner(cache_dir, temporary, "with a second server") as (process, _):
        orphans = working_in(temporary)
        process.send_signal(signal.SIGKILL)
        process.wait()
    left = run_folders(temporary)

    with LocalStack(cache_dir=cache_dir):
        now = run_folders(temporary)
        alive = [process for process in orphans if process in working_in(temporary)]

    assert len(left) == 1
    assert alive == []
    assert not set(left) & set(now)
    assert (working_in(temporary), run_folders(temporary)) == ([], [])


def test_two_stacks_side_by_side_do_not_meet(temporary: Path, cache_dir: Path) -> None:
    with LocalStack(cache_dir=cache_dir) as ours:
        agent = make_agent(ours)
        with owner(cache_dir, temporary) as (_, theirs):
            answer = httpx.get(f"{theirs['url']}/v1/agents/{agent}")
        ours.restart("letta")

        assert answer.status_code == 404
        assert block_value(ours.url, agent) == "Ann"


def test_a_kept_stack_goes_on_without_its_owner_until_it_is_ended(temporary: Path, cache_dir: Path) -> None:
    with owner(cache_dir, temporary, "keep") as (_, told):
        pass
    with LocalStack(cache_dir=cache_dir):
        pass  # its reaper passes the kept one over
    status = httpx.get(f"{told['url']}/v1/agents/?limit=1").status_code
    command = [sys.executable, "-m", "pytest_letta.cli.main", *told["hint"].split("pytest-letta ")[1].split()]
    ended = subprocess.run(command, env={**os.environ, "TMPDIR": str(temporary)}, timeout=60, check=False)

    assert (status, ended.returncode) == (200, 0)
    assert (working_in(temporary), run_folders(temporary)) == ([], [])


#: What ports are chosen for, in their order.
_PLACES = (*SERVICES, "tls")


@pytest.mark.parametrize("taken", [("postgres", "redis"), ("llm", "nginx"), ("letta", "tls")])
def test_a_taken_port_makes_the_start_try_others(temporary: Path, cache_dir: Path, taken: tuple[str, ...]) -> None:
    with socket.create_server((HOST, 0)) as somebody:
        tries: list[list[int]] = []

        def ports(count: int) -> list[int]:
            chosen = free_ports(count)
            if len(tries) < len(taken):
                chosen[_PLACES.index(taken[len(tries)])] = somebody.getsockname()[1]
            tries.append(chosen)
            return chosen

        with LocalStack(cache_dir=cache_dir, ports=ports) as stack:
            used = [stack.address(name).port for name in stack.services]

    assert len(tries) == len(taken) + 1
    assert used == tries[-1][:-1]
    assert (working_in(temporary), run_folders(temporary)) == ([], [])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's Postgres runs as another user")
def test_a_temporary_folder_that_postgres_cannot_enter_is_told_with_a_remedy(
    temporary: Path, cache_dir: Path
) -> None:
    temporary.chmod(0o700)

    with pytest.raises(StackError, match=r"cannot enter .*set TMPDIR to a folder that every user can enter"):
        LocalStack(cache_dir=cache_dir).open()

    assert (working_in(temporary), run_folders(temporary)) == ([], [])


def test_a_start_that_finds_only_taken_ports_gives_up_and_leaves_nothing(temporary: Path, cache_dir: Path) -> None:
    with socket.create_server((HOST, 0)) as somebody:
        taken = somebody.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"found its port taken: 127.0.0.1:{taken}"):
            LocalStack(cache_dir=cache_dir, ports=lambda count: [taken] * count).open()

    assert (working_in(temporary), run_folders(temporary)) == ([], [])
