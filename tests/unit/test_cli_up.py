"""`pytest-letta up` reads the options of a stack, and tells how to use what it started."""

from __future__ import annotations

import json
import shlex
import subprocess
from argparse import Namespace
from pathlib import Path

import pytest
from run_folders import description

from pytest_letta.cli import up
from pytest_letta.cli.main import COMMANDS, main, parser
from pytest_letta.errors import SettingsError
from pytest_letta.options import DEFAULT_VERSION, OPTIONS
from pytest_letta.settings import Settings
from pytest_letta.stack.rundir import RunDir


def arguments(*given: str) -> Namespace:
    return parser().parse_args(["up", *given])


def settings(*given: str, keep: bool = False) -> Settings:
    return up.settings_of(arguments(*given), keep=keep)


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of whoever runs the tests."""
    for option in OPTIONS:
        for name in option.env:
            monkeypatch.delenv(name, raising=False)


@pytest.fixture
def told(tmp_path: Path):
    run = RunDir(tmp_path / "run")
    run.release()
    return description(run, id="aaaa0000")


def test_a_local_stack_of_the_newest_release_is_the_default() -> None:
    chosen = settings()

    assert (chosen.stack, chosen.version, chosen.token, chosen.keep) == ("local", DEFAULT_VERSION, None, False)


@pytest.mark.parametrize("prefix", ["--", "--letta-"])
def test_options_have_a_short_name_and_that_of_pytest(prefix: str) -> None:
    chosen = settings(f"{prefix}stack", "docker", f"{prefix}image", "redis=redis:8", f"{prefix}token", "s3cret")

    assert (chosen.stack, chosen.image, chosen.token) == ("docker", ("redis=redis:8",), "s3cret")


def test_the_environment_counts_where_no_option_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_LETTA_STACK", "docker")
    monkeypatch.setenv("PYTEST_LETTA_VERSION", "0.16.5")
    monkeypatch.setenv("LETTA_API_KEY", "s3cret")

    assert (settings().stack, settings().version, settings().token) == ("docker", "0.16.5", "s3cret")
    assert settings("--stack=local").stack == "local"


def test_what_an_earlier_stack_exported_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_LETTA_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("PYTEST_LETTA_PROXY_URL", "no url")

    assert (settings().url, settings().stack) == (None, "local")


def test_a_compose_file_is_the_stack(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.touch()

    assert settings("--compose", str(file)).stack == "compose"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (("--stack", "dokcer"), r"^letta_stack must be one of .*; did you mean 'docker'\?, got 'dokcer' \(from"),
        (("--stack", "none"), "^--stack none starts nothing"),
        (("--stack", "compose"), "^letta_stack=compose needs letta_compose"),
        (("--image", "redis"), "^letta_image must be SERVICE=REFERENCE"),
        (
            ("--image", "redis=redis:8"),
            r"^--image is of no use to the stack local \(from default\): give --stack docker",
        ),
        (("--compose", "no.yml"), "^letta_compose must be a file that exists, got 'no.yml'"),
        (("--stack", "local", "--compose", __file__), "^--compose is of no use to the stack local"),
        (("--compose", __file__, "--letta-version", "0.16.5"), "^--letta-version is of no use to the stack compose"),
        (("--token", " "), r"^letta_token must not be empty \(from --letta-token\)\.$"),
    ],
)
def test_what_makes_no_stack_is_told_with_its_source(given: tuple[str, ...], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        settings(*given)


def test_a_wrong_setting_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", "--letta-version", "0.1"]) == 2

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("pytest-letta: unknown Letta version '0.1'")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("given", [["up", "--json", "--shell"], ["up", "--stac", "local"], ["fly"], []])
def test_wrong_arguments_end_with_2(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(given)

    assert ended.value.code == 2
    assert capsys.readouterr().out == ""


def test_the_text_has_every_address_the_pytest_line_and_the_end(told) -> None:
    shown = up.text(told, is_held=False)

    assert shown.splitlines()[0] == "Letta 0.16.8 (local) is up: aaaa0000"
    for value in (told.url, told.proxy_url, told.llm_url, told.postgres_dsn):
        assert f" {value}\n" in shown
    line = "pytest --letta-url http://127.0.0.1:1 --letta-proxy-url http://127.0.0.1:2 --letta-llm http://127.0.0.1:3"
    assert line in shown
    assert shown.endswith("End it:   pytest-letta down aaaa0000")
    assert "Ctrl-C" in up.text(told, is_held=True)


def test_the_lines_for_a_shell_set_what_pytest_and_the_sdk_read(told, tmp_path: Path) -> None:
    script = f"PYTEST_LETTA_PROXY_URL=old\n{up.shell_lines(told)}\nenv -0"
    env = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, check=True)
    found = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)

    assert (
        found.items()
        >= {
            "LETTA_BASE_URL": told.url,
            "PYTEST_LETTA_URL": told.url,
            "PYTEST_LETTA_PROXY_URL": told.proxy_url,
            "PYTEST_LETTA_LLM": told.llm_url,
            "PYTEST_LETTA_STACK_ID": "aaaa0000",
        }.items()
    )


def test_the_variables_are_those_of_the_options() -> None:
    names = {name for option in OPTIONS for name in option.env}

    assert {"PYTEST_LETTA_URL", "PYTEST_LETTA_PROXY_URL", "PYTEST_LETTA_LLM"} <= names
    assert "PYTEST_LETTA_STACK_ID" not in names


def test_what_a_stack_does_not_have_is_unset_and_not_shown(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run")
    run.release()
    told = description(run, proxy_url=None)

    assert "unset PYTEST_LETTA_PROXY_URL" in up.shell_lines(told).splitlines()
    assert "--letta-proxy-url" not in shlex.join(up.pytest_arguments(told))
    assert "proxy" not in up.text(told, is_held=True)


def test_json_is_one_line(told) -> None:
    shown = up.shown(told, arguments("--json"))
    parsed = json.loads(shown)

    assert "\n" not in shown
    assert parsed.items() >= told.as_dict().items()
    assert parsed["pytest"][:2] == ["--letta-url", told.url]
    assert parsed["environment"]["LETTA_BASE_URL"] == told.url


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.NAME)
def test_every_command_has_its_help(command, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command.NAME, "--help"])

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: pytest-letta {command.NAME}")
