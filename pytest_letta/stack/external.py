"""A deployment that somebody else runs: it can be restarted by the command that its owner gave, no more."""

from __future__ import annotations

import subprocess
import time

from pytest_letta.errors import StackError
from pytest_letta.stack.stack import Stack

_RETURN_LIMIT_S = 180.0
_OUTPUT_SHOWN = 2_000


class ExternalStack(Stack):
    """The service ``letta`` at `url`; `restart_command` is run by the shell, or ``None`` when there is none.

    Command and return may each take `return_limit_s` seconds.
    """

    provider = "external"
    services = ("letta",)

    def __init__(
        self,
        url: str,
        proxy_url: str | None,
        restart_command: str | None,
        *,
        return_limit_s: float = _RETURN_LIMIT_S,
    ) -> None:
        self.url = url
        self.proxy_url = proxy_url
        self._command = restart_command
        self.actions = frozenset() if restart_command is None else frozenset({"restart"})
        self._return_limit_s = return_limit_s

    def restart(self, service: str, *, cold: bool = False) -> None:
        """Run the owner's command, then wait until the server answers again; `cold` has no meaning here.

        The command must return when the restart is under way or done, as ``docker restart`` does.
        Raises StackError when it fails, or when no server answers within `return_limit_s`.
        """
        if service != "letta" or self._command is None:
            raise StackError(
                f"cannot restart {service}: this deployment is not ours. "
                "Give --letta-restart CMD, such as --letta-restart 'docker restart letta-server'."
            )
        done = subprocess.run(
            self._command, shell=True, text=True, capture_output=True, timeout=self._return_limit_s, check=False
        )
        if done.returncode != 0:
            output = (done.stdout + done.stderr)[-_OUTPUT_SHOWN:]
            raise StackError(f"--letta-restart {self._command!r} ended with {done.returncode}:\n{output}")
        self._wait_until_healthy()

    def close(self) -> None:
        """Do nothing: the deployment goes on without us."""

    def _wait_until_healthy(self) -> None:
        import httpx

        last = "no answer"
        deadline = time.monotonic() + self._return_limit_s
        while time.monotonic() < deadline:
            try:
                answer = httpx.get(f"{self.url}/v1/health/", timeout=5)
            except httpx.TransportError as error:
                last = f"{type(error).__name__}: {error}"
            else:
                if answer.status_code == 200:
                    return
                last = f"status {answer.status_code}"
            time.sleep(0.25)
        raise StackError(
            f"{self.url} was not healthy {self._return_limit_s:.0f} s after --letta-restart; last: {last}"
        )
