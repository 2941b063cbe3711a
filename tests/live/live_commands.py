"""The console script, run as a person runs it, with a temporary folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCRIPT = (sys.executable, "-m", "pytest_letta.cli.main")
_LIMIT_S = 300


@dataclass(frozen=True)
class Commands:
    """`environment` is put over that of the test run, without what would name another stack."""

    environment: dict[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return subprocess.run(
            [*_SCRIPT, *arguments], env=self._env, capture_output=True, text=True, timeout=_LIMIT_S, check=False
        )

    def json(self, *arguments: str) -> Any:
        """Return what a command that succeeds prints."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Start a command that stays; it is killed at the end of the block if it is still there."""
        with subprocess.Popen([*_SCRIPT, *arguments], env=self._env, stdout=-1, stderr=-1, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    def pytest(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run pytest in an empty `folder`."""
        command = [sys.executable, "-m", "pytest", "-p", "no:schemathesis", "-p", "no:cacheprovider", *arguments]
        return subprocess.run(
            command, cwd=folder, env=self._env, capture_output=True, text=True, timeout=_LIMIT_S, check=False
        )

    @property
    def _env(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if "LETTA_" not in name}
        return {**inherited, **self.environment}


def announced(process: subprocess.Popen[str]) -> Any:
    """Return what `up --json` prints when its stack is up."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr.read() if process.stderr else ""
    return json.loads(line)
