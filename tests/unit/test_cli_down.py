"""`pytest-letta down` ends what is meant, asks when that is not clear, and spares test runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from run_folders import Runs

from pytest_letta.cli.main import main


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    """Run folders in a temporary folder of their own, on a machine without an engine."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    made = Runs(tmp_path)
    yield made
    made.close()


def test_the_only_stack_needs_no_name(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    path = runs.held("aaaa0000").path

    assert main(["down"]) == 0
    assert capsys.readouterr().out == "ended aaaa0000\n"
    assert not path.exists()


def test_stacks_of_test_runs_do_not_count(runs: Runs) -> None:
    kept = [runs.testing("aaaa0000").path, runs.starting("bbbb0000").path]
    ended = runs.kept("cccc0000").path

    assert main(["down"]) == 0
    assert ([path.exists() for path in kept], ended.exists()) == ([True, True], False)


def test_several_stacks_are_listed_with_what_to_do(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [runs.held("aaaa0000").path, runs.stale("bbbb0000").path]

    assert main(["down"]) == 2
    assert capsys.readouterr().err == (
        "pytest-letta: there are 2 stacks: name the ID of one, or give --all.\n"
        "  aaaa0000  held  http://127.0.0.1:1\n"
        "  bbbb0000  stale  http://127.0.0.1:1\n"
    )
    assert all(path.exists() for path in paths)


def test_all_ends_all_but_those_of_test_runs(runs: Runs) -> None:
    ended = [runs.held("aaaa0000").path, runs.stale("bbbb0000").path, runs.kept("cccc0000").path]
    kept = [runs.testing("dddd0000").path, runs.starting("eeee0000").path]

    assert main(["down", "--all"]) == 0
    assert [path.exists() for path in (*ended, *kept)] == [False, False, False, True, True]


@pytest.mark.parametrize("arguments", [["down"], ["down", "--all"]])
def test_nothing_to_end_is_no_failure(runs: Runs, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(arguments) == 0
    assert capsys.readouterr() == ("", "letta: there is no stack to end.\n")


@pytest.mark.parametrize("name", ["aaaa0000", "aa", "./{path}"])
def test_a_stack_is_named_by_its_id_the_beginning_of_that_or_its_folder(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = runs.held("aaaa0000").path
    other = runs.held("bbbb0000").path
    monkeypatch.chdir(tmp_path)

    assert main(["down", name.format(path=path.name)]) == 0
    assert (path.exists(), other.exists()) == (False, True)


def test_a_folder_elsewhere_can_be_named(runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = runs.kept("aaaa0000").path
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "another"))

    assert main(["down", str(path)]) == 0
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["a"], "'a' begins several ids: aaaa0000, aaaa1111."),
        (["c"], "no stack is called 'c'; there are aaaa0000, aaaa1111 (`pytest-letta ps`)."),
        ([""], "no stack is called ''; there are aaaa0000, aaaa1111 (`pytest-letta ps`)."),
        (["./x"], "./x is not the folder of a stack."),
        (["--all", "aaaa0000"], "--all and ID exclude each other: name the stacks, or end all."),
        (["--force"], "--force needs the ID of the stack: no test run loses its stack unless it is named."),
        (["aaaa0000", "c"], "no stack is called 'c'; there are aaaa0000, aaaa1111 (`pytest-letta ps`)."),
    ],
)
def test_what_is_not_clear_ends_nothing(
    runs: Runs, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    paths = [runs.held("aaaa0000").path, runs.held("aaaa1111").path]

    assert main(["down", *arguments]) == 2
    assert capsys.readouterr() == ("", f"pytest-letta: {told}\n")
    assert all(path.exists() for path in paths)


@pytest.mark.parametrize("kind", ["testing", "starting"])
def test_the_stack_of_a_test_run_goes_by_force_only(
    runs: Runs, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    path = getattr(runs, kind)("aaaa0000").path

    assert main(["down", "aaaa0000"]) == 2
    assert "give --force aaaa0000 to end it." in capsys.readouterr().err
    assert path.exists()
    assert main(["down", "--force", "aaaa0000"]) == 0
    assert not path.exists()


def test_a_stack_with_containers_stays_while_no_engine_answers(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    path = runs.kept("aaaa0000").path
    (path / "containers").write_text("aaaa0000")
    other = runs.held("bbbb0000").path

    assert main(["down", "aaaa0000", "bbbb0000"]) == 1
    said = capsys.readouterr()
    assert said.out == "ended bbbb0000\n"
    assert said.err.startswith("pytest-letta: nothing answers at tcp://127.0.0.1:1")
    assert (path.exists(), other.exists()) == (True, False)
