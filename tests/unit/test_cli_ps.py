"""`pytest-letta ps` shows every stack of this user, as a table or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from local_server import Call, serving
from run_folders import Runs

from pytest_letta.cli.main import main
from pytest_letta.cli.ps import age, table
from pytest_letta.stack import roster


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    """Run folders in a temporary folder of their own, on a machine without an engine."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    made = Runs(tmp_path)
    yield made
    made.close()


def test_the_table_has_a_row_for_each_and_the_problem_below(runs: Runs, tmp_path: Path) -> None:
    runs.held("aaaa0000")
    runs.testing("bbbb0000")
    runs.starting("cccc0000")
    found = roster.find(tmp_path)
    now = datetime(2026, 1, 2, 5, 4, 5, tzinfo=UTC)

    shown = table(found, [None, "letta: 500", "nothing tells where it listens"], now)

    assert shown == (
        "ID        STACK  LETTA   STATE     HEALTH       AGE  ADDRESS\n"
        "aaaa0000  local  0.16.8  held      healthy      2 h  http://127.0.0.1:1\n"
        "bbbb0000  local  0.16.8  test run  not healthy  2 h  http://127.0.0.1:1\n"
        "  letta: 500\n"
        "cccc0000  -      -       starting  -            -    -"
    )


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (7_199, "1 h"), (86_400 * 3 + 1, "3 d")]
)
def test_ages_are_told_in_their_largest_unit(seconds: int, shown: str) -> None:
    now = datetime.now(UTC)

    assert age((now - timedelta(seconds=seconds)).isoformat(), now) == shown


def test_without_a_stack_the_output_is_empty_and_the_remedy_beside_it(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ps"]) == 0
    assert capsys.readouterr() == ("", "letta: there is no stack; `pytest-letta up` starts one.\n")


def test_without_a_stack_json_is_an_empty_array(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ps", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_json_has_the_addresses_the_state_and_the_health(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    def respond(call: Call) -> None:
        call.answer(200, "[]")

    with serving(respond) as server:
        run = runs.held("aaaa0000", url=server.url, llm_url=server.url, proxy_url=server.url)
        runs.starting("bbbb0000")
        assert main(["ps", "--json"]) == 0
        healthy, starting = json.loads(capsys.readouterr().out)

    assert (
        healthy.items()
        >= {
            "id": "aaaa0000",
            "folder": str(run.path),
            "provider": "local",
            "version": "0.16.8",
            "url": server.url,
            "state": "held",
            "healthy": True,
            "problem": None,
        }.items()
    )
    assert starting.items() >= {"id": "bbbb0000", "state": "starting", "healthy": False}.items()


def test_the_table_shows_no_password(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    runs.held("aaaa0000")

    assert main(["ps"]) == 0
    assert "s3cret" not in capsys.readouterr().out
