"""Folders of runs as stacks leave them, for the tests of the commands that read them."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_letta.stack.description import Description
from pytest_letta.stack.rundir import PREFIX, RunDir


def description(run: RunDir, **changes: object) -> Description:
    facts = {
        "id": run.id,
        "folder": str(run.path),
        "provider": "local",
        "version": "0.16.8",
        "url": "http://127.0.0.1:1",
        "proxy_url": "http://127.0.0.1:2",
        "llm_url": "http://127.0.0.1:3",
        "postgres_dsn": "postgresql://letta:s3cret@127.0.0.1:4/letta",
        "redis_url": None,
        "started_at": "2026-01-02T03:04:05+00:00",
        "owner_pid": os.getpid(),
        "holder": "person",
        **changes,
    }
    return Description(**facts)  # type: ignore[arg-type]


class Runs:
    """Makes run folders in `parent`, and lets go of them at the end."""

    def __init__(self, parent: Path) -> None:
        self._parent = parent
        self._held: list[RunDir] = []

    def starting(self, name: str) -> RunDir:
        run = RunDir(self._parent / f"{PREFIX}{name}")
        run.id = name
        self._held.append(run)
        return run

    def held(self, name: str, **changes: object) -> RunDir:
        run = self.starting(name)
        run.describe(description(run, **changes).as_text())
        return run

    def testing(self, name: str) -> RunDir:
        return self.held(name, holder="run")

    def stale(self, name: str) -> RunDir:
        run = self.held(name)
        self._let_go(run)
        return run

    def kept(self, name: str, **changes: object) -> RunDir:
        run = self.held(name, **changes)
        run.keep()
        self._let_go(run)
        return run

    def close(self) -> None:
        for run in list(self._held):
            self._let_go(run)

    def _let_go(self, run: RunDir) -> None:
        self._held.remove(run)
        run.release()
