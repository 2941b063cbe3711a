"""One compose project: runs compose on a private model, shows what it says, and explains its failures."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_letta.errors import PortTakenError, ServiceError
from pytest_letta.stack.containers.compose_service import PROJECT_LABEL, SERVICE_LABEL
from pytest_letta.stack.containers.service import is_port_taken, log_tail

if TYPE_CHECKING:
    from docker.models.containers import Container

    from pytest_letta.stack.containers.engine import Engine

_LOG_LINES = 40
_SAID_LINES = 20


class Project:
    """The project `name`, described by `model`; `folder` is that of the owner's file, and `run` that of this run.

    `limit_s` seconds is what making all its containers, with the health that they wait for, may take.
    """

    def __init__(
        self, engine: Engine, name: str, model: Mapping[str, Any], *, folder: Path, run: Path, limit_s: float = 600.0
    ) -> None:
        self.name = name
        self._engine = engine
        self._limit_s = limit_s
        file = run / "compose.json"
        file.touch(mode=0o600)  # it holds passwords
        file.write_text(json.dumps(model))
        self._command = ["docker", "compose", "--ansi", "never", "--progress", "plain"]
        self._command += ["--project-name", name, "--project-directory", str(folder), "--file", str(file)]

    def up(self, *services: str, one_of: str | None = None, tell: Callable[[str], None] = lambda said: None) -> None:
        """Build, create and start all services, or `services` alone and anew; of `one_of` a single container.

        Raises PortTakenError, and ServiceError with the last log lines of the container that was the reason.
        """
        alone = ["--no-deps", "--force-recreate", "--no-build"] if services else ["--build"]
        scale = ["--scale", f"{one_of}=1"] if one_of is not None else []
        self._run(["up", "--detach", "--quiet-pull", *alone, *scale, *services], tell)

    def build(self, tell: Callable[[str], None]) -> None:
        """Build the images that the file describes; raise ServiceError with the end of what was said."""
        self._run(["build"], tell)

    def _run(self, words: list[str], tell: Callable[[str], None]) -> None:
        # The user's own environment: it names registries, proxies and the engine.
        with subprocess.Popen(
            [*self._command, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            expired = threading.Timer(self._limit_s, process.kill)
            expired.start()
            said: list[str] = []
            try:
                for line in process.stdout or ():
                    said.append(line.rstrip())
                    tell(said[-1].strip()[:60])
            except BaseException:
                process.kill()
                raise
            finally:
                expired.cancel()
            code = process.wait()
        if code != 0:
            raise self._explained(words[0], code, [line for line in said if line.strip()])

    def _explained(self, word: str, code: int, said: list[str]) -> Exception:
        tail = "\n".join(said[-_SAID_LINES:])
        if is_port_taken(tail):
            return PortTakenError(f"the engine cannot publish a port of the copy: {said[-1]}")
        late = f" within {self._limit_s:.0f} s" if code == -9 else ""
        text = f"docker compose {word} did not succeed{late} (exit {code}):\n{tail}"
        return ServiceError(text + "".join(self._told(one) for one in self._failed()))

    def _failed(self) -> list[Container]:
        chosen: dict[str, Any] = {"label": f"{PROJECT_LABEL}={self.name}"}
        return [
            one
            for one in self._engine.client.containers.list(all=True, filters=chosen, ignore_removed=True)
            if (one.status == "exited" and one.attrs["State"]["ExitCode"] != 0)
            or (one.attrs["State"].get("Health") or {}).get("Status") in ("unhealthy", "starting")
        ]

    def _told(self, container: Container) -> str:
        state = container.attrs["State"]
        checks = (state.get("Health") or {}).get("Log") or []
        how = f"ended with {state['ExitCode']}" if container.status == "exited" else "is not healthy"
        check = f"; its health check said: {checks[-1]['Output'].strip()}" if checks else ""
        service = container.labels.get(SERVICE_LABEL, container.name)
        return f"\n{service} {how}{check}. The last lines of its log:\n{log_tail(container, _LOG_LINES).rstrip()}"
