"""The roster tells each stack of this user apart by its folder, and how its servers are."""

from __future__ import annotations

import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_server import Call, serving
from run_folders import Runs

from pytest_letta.stack import roster
from pytest_letta.stack.description import read
from pytest_letta.stack.process_service import plain_environment, spawn
from pytest_letta.stack.roster import State
from pytest_letta.stack.rundir import CONTAINERS, DESCRIPTION, RunDir


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    made = Runs(tmp_path)
    yield made
    made.close()


def a_service(run: RunDir) -> subprocess.Popen[bytes]:
    """Start a service of the run, and return when it is recorded."""
    service = spawn(
        run, "redis", ["sleep", "300"], environment=plain_environment(run.path), folder=run.folder("redis")
    )
    deadline = time.monotonic() + 30
    while not run.pid_file("redis").read_text() and time.monotonic() < deadline:
        time.sleep(0.01)
    return service


def states(parent: Path) -> dict[str, State]:
    return {one.id: one.state for one in roster.find(parent)}


def test_each_state_is_told_by_the_folder(runs: Runs, tmp_path: Path) -> None:
    runs.starting("a")
    runs.testing("b")
    runs.held("c")
    runs.stale("d")
    runs.kept("e")  # of whose services none runs any more
    (runs.kept("f").path / CONTAINERS).write_text("f")

    assert states(tmp_path) == {
        "a": State.STARTING,
        "b": State.TESTING,
        "c": State.HELD,
        "d": State.STALE,
        "e": State.STALE,
        "f": State.KEPT,
    }


def test_a_kept_stack_with_a_service_that_runs_is_kept(runs: Runs, tmp_path: Path) -> None:
    run = runs.kept("a")
    service = a_service(run)
    try:
        assert states(tmp_path) == {"a": State.KEPT}
    finally:
        service.kill()
        service.wait()


def test_a_stack_of_a_test_run_belongs_to_it_and_so_may_one_that_is_starting(runs: Runs, tmp_path: Path) -> None:
    for make in (runs.starting, runs.testing, runs.held, runs.stale):
        make(make.__name__)

    assert [one.id for one in roster.find(tmp_path) if one.belongs_to_run] == ["testing", "starting"]


def test_the_oldest_comes_first(runs: Runs, tmp_path: Path) -> None:
    runs.held("a", started_at="2026-01-02T00:00:00+00:00")
    runs.held("b", started_at="2026-01-01T00:00:00+00:00")

    assert list(states(tmp_path)) == ["b", "a"]


def test_folders_that_are_no_stack_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "pytest-letta-stack-made-now").mkdir()
    (tmp_path / "pytest-letta-turns-x").mkdir()

    assert roster.find(tmp_path) == []
    assert roster.find_in(tmp_path / "pytest-letta-turns-x") is None


def test_a_folder_elsewhere_is_found_by_its_path(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "mine")
    run.release()

    found = roster.find_in(tmp_path / "mine")

    assert found is not None
    assert (found.id, found.state, found.folder) == ("mine", State.STALE, run.path)


def test_the_description_is_for_its_user_alone(runs: Runs) -> None:
    file = runs.held("a").path / DESCRIPTION

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in file.parent.glob("*.new")] == []


def test_the_password_is_in_no_repr(runs: Runs) -> None:
    told = read(runs.held("a").path)

    assert told is not None
    assert "s3cret" in (told.postgres_dsn or "")
    assert "s3cret" not in repr(told)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": "pytest-letta-stack/2"}', '{"schema": "pytest-letta-stack/1"}']
)
def test_a_description_that_we_do_not_understand_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / DESCRIPTION).write_text(text)

    assert read(tmp_path) is None


def answers(status: int, *, of: str):
    def respond(call: Call) -> None:
        call.answer(status if call.path.startswith(of) else 200, "[]")

    return respond


@pytest.mark.parametrize(
    ("respond", "problem"),
    [
        (answers(200, of="/"), None),
        (answers(401, of="/v1/agents/"), None),  # it asks for its password
        (answers(500, of="/v1/agents/"), "letta: 500 b'[]' from GET /v1/agents/?limit=1"),
        (answers(503, of="/v1/health/"), "letta: 503 b'[]' from GET /v1/health/"),
        (answers(502, of="/health"), "model: 502 b'[]' from GET /health"),
    ],
)
def test_a_stack_is_as_healthy_as_its_servers_answer(
    runs: Runs, tmp_path: Path, respond, problem: str | None
) -> None:
    with serving(respond) as server:
        runs.held("a", url=server.url, llm_url=server.url, proxy_url=None)
        (found,) = roster.find(tmp_path)

        assert roster.problem_of(found) == problem


def test_a_server_that_is_away_is_named(runs: Runs, tmp_path: Path) -> None:
    runs.held("a")
    (found,) = roster.find(tmp_path)

    assert "letta: ConnectionRefusedError" in (roster.problem_of(found) or "")


def test_ending_a_stack_removes_its_folder_and_ends_its_services(runs: Runs, tmp_path: Path) -> None:
    run = runs.kept("a")
    service = a_service(run)
    (found,) = roster.find(tmp_path)

    roster.end(found)

    assert service.wait(10) == -9
    assert not run.path.exists()
