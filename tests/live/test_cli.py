"""`pytest-letta` on real local stacks: kept, held, used again and again, and gone when it is told."""

from __future__ import annotations

import shlex
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from live_commands import Commands, announced
from live_traces import run_folders, working_in


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A temporary folder that every user can enter: under root Postgres runs as another one."""
    with tempfile.TemporaryDirectory(prefix="pytest-letta-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def commands(temporary: Path) -> Iterator[Commands]:
    """The commands on a machine with no other stacks; whatever is left goes at the end."""
    made = Commands({"TMPDIR": str(temporary), "DOCKER_HOST": "tcp://127.0.0.1:1"})
    yield made
    for folder in run_folders(temporary):
        made.run("down", "--force", str(folder))


def test_a_detached_stack_serves_run_after_run_until_it_is_ended(
    commands: Commands, temporary: Path, tmp_path: Path
) -> None:
    told = commands.json("up", "--detach")

    assert httpx.get(f"{told['url']}/v1/agents/?limit=1").status_code == 200
    shown = commands.json("ps")
    assert [(one["id"], one["state"], one["problem"]) for one in shown] == [(told["id"], "kept", None)]
    for _ in range(2):
        done = commands.pytest(tmp_path, *told["pytest"], "--letta-suite=memory", "-k", "MEM-BLOCK-001")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "passed" in done.stdout

    ended = commands.run("down")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"ended {told['id']}\n", "")
    assert (working_in(temporary), run_folders(temporary)) == ([], [])
    assert commands.json("ps") == []


def test_a_shell_that_evaluates_the_lines_points_pytest_at_the_stack(
    commands: Commands, temporary: Path, tmp_path: Path
) -> None:
    done = commands.run("up", "--shell")
    exported = dict(word.split("=", 1) for word in _exports(done.stdout))
    (tmp_path / "test_it.py").write_text(
        "def test_it(letta_agent, letta_llm):\n    assert letta_agent.block('human')\n"
    )

    run = Commands({**commands.environment, **exported}).pytest(tmp_path)

    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout
    assert commands.run("down", exported["PYTEST_LETTA_STACK_ID"]).returncode == 0
    assert (working_in(temporary), run_folders(temporary)) == ([], [])


def _exports(text: str) -> list[str]:
    words = [shlex.split(line) for line in text.splitlines()]
    return [word for first, word in words if first == "export"]


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGHUP, marks=pytest.mark.slow)])
def test_a_signal_takes_a_stack_in_the_foreground_away(
    commands: Commands, temporary: Path, number: signal.Signals
) -> None:
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip(f"whoever started these tests has them ignore {number.name}, as nohup does")
    with commands.started("up", "--json") as process:
        told = announced(process)
        state = commands.json("ps")[0]["state"]
        process.send_signal(number)
        out, err = process.communicate(timeout=60)

    assert (state, process.returncode, out) == ("held", 0, "")
    assert err.endswith(f"letta: ending {told['id']} ...\n")
    assert (working_in(temporary), run_folders(temporary)) == ([], [])


def test_a_stack_in_the_foreground_can_be_ended_from_elsewhere(commands: Commands, temporary: Path) -> None:
    with commands.started("up", "--json") as process:
        told = announced(process)
        ended = commands.run("down")
        _, err = process.communicate(timeout=60)

    assert (ended.returncode, ended.stdout) == (0, f"ended {told['id']}\n")
    assert (process.returncode, err.splitlines()[-1]) == (0, f"letta: {told['id']} was ended by somebody else.")
    assert (working_in(temporary), run_folders(temporary)) == ([], [])


def test_a_start_that_is_interrupted_leaves_nothing(commands: Commands, temporary: Path) -> None:
    with commands.started("up", "--detach") as process:
        deadline = time.monotonic() + 120
        while len(working_in(temporary)) < 3 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)

    assert (process.returncode, out) == (130, "")
    assert err.endswith("pytest-letta: interrupted; what was started is ended.\n")
    assert (working_in(temporary), run_folders(temporary)) == ([], [])


def test_what_a_killed_foreground_left_is_shown_as_stale_and_can_be_ended(
    commands: Commands, temporary: Path
) -> None:
    with commands.started("up", "--json") as process:
        told = announced(process)
        process.kill()
        process.wait()
        shown = commands.json("ps")
        ended = commands.run("down")

    assert [(one["id"], one["state"]) for one in shown] == [(told["id"], "stale")]
    assert ended.returncode == 0
    assert (working_in(temporary), run_folders(temporary)) == ([], [])


def test_a_test_run_keeps_its_stack_from_down_unless_it_is_named_with_force(
    commands: Commands, temporary: Path, tmp_path: Path
) -> None:
    (tmp_path / "test_it.py").write_text(
        "import subprocess, sys\n"
        "def down(*arguments):\n"
        "    return subprocess.run([sys.executable, '-m', 'pytest_letta.cli.main', 'down', *arguments]).returncode\n"
        "def test_it(letta_stack, letta_url):\n"
        "    name = letta_stack.description.id\n"
        "    assert [down(), down('--all'), down(name), down('--force', name)] == [0, 0, 2, 0]\n"
    )

    done = commands.pytest(tmp_path, "--letta-stack=local", "-s")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert (working_in(temporary), run_folders(temporary)) == ([], [])


def test_a_stack_that_pytest_keeps_is_ended_in_the_same_way(
    commands: Commands, temporary: Path, tmp_path: Path
) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(letta_stack): pass\n")

    done = commands.pytest(tmp_path, "--letta-stack=local", "--letta-keep")
    (kept,) = commands.json("ps")

    assert (done.returncode, kept["state"], kept["healthy"]) == (0, "kept", True)
    assert f"end it with: pytest-letta down {kept['id']}" in done.stdout
    assert commands.run("down").returncode == 0
    assert (working_in(temporary), run_folders(temporary)) == ([], [])


def test_a_password_is_asked_for_and_printed_nowhere(commands: Commands, temporary: Path, tmp_path: Path) -> None:
    secured = Commands({**commands.environment, "LETTA_API_KEY": "s3cret-of-mine"})
    done = secured.run("up", "--detach")
    (kept,) = commands.json("ps")

    assert httpx.get(f"{kept['url']}/v1/agents/").status_code == 401
    assert kept["healthy"]
    assert "s3cret-of-mine" not in done.stdout + done.stderr + str(kept)
    ran = secured.pytest(tmp_path, "--letta-url", kept["url"], "--letta-suite=memory", "-k", "MEM-BLOCK-001")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_command_is_installed(temporary: Path) -> None:
    from importlib.metadata import entry_points

    (script,) = entry_points(group="console_scripts", name="pytest-letta")

    assert script.value == "pytest_letta.cli.main:main"
