"""The owner's side of the zygote, against a zygote that says what a test has it say."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from pytest_letta.stack import forking
from pytest_letta.stack.forking import Zygote
from pytest_letta.stack.process_service import plain_environment
from pytest_letta.stack.rundir import RunDir

Speaker = Callable[[str], Zygote]


@pytest.fixture
def speaker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Speaker]:
    """Return a zygote that is ready and then answers commands with one of the given lines each."""
    run = RunDir(tmp_path / "run")
    begun: list[Zygote] = []

    def speak(answers: str) -> Zygote:
        script = tmp_path / "speaker.py"
        script.write_text(
            dedent(
                f"""
                import sys
                print('{{"ready": null}}', flush=True)
                for answer in {answers.splitlines()!r}:
                    sys.stdin.readline()
                    print(answer.replace(";", chr(10)), flush=True)
                sys.stdin.read()
                """
            )
        )
        monkeypatch.setattr(forking, "_SCRIPT", script)
        folder = run.folder("letta")
        begun.append(Zygote(run, Path(sys.executable), plain_environment(folder), folder))
        return begun[-1]

    yield speak
    for zygote in begun:
        zygote.close()
    run.release()


def test_a_server_with_the_id_of_one_that_ended_is_alive(speaker: Speaker, tmp_path: Path) -> None:
    pid = os.getpid()
    zygote = speaker(f'{{"forked": {pid}}}\n{{"ended": {pid}, "code": -9}};{{"forked": {pid}}}')
    assert zygote.unfit_reason() is None
    first = zygote.fork([], pid_file=tmp_path / "pid", log=tmp_path / "log")
    assert first.poll() is None
    second = zygote.fork([], pid_file=tmp_path / "pid", log=tmp_path / "log")
    assert second.poll() is None


def test_the_exit_code_of_a_server_that_ended_at_once_is_known(speaker: Speaker, tmp_path: Path) -> None:
    pid = os.getpid()
    zygote = speaker(f'{{"forked": {pid}}};{{"ended": {pid}, "code": 3}}')
    assert zygote.unfit_reason() is None
    server = zygote.fork([], pid_file=tmp_path / "pid", log=tmp_path / "log")
    assert server.wait(10) == 3
