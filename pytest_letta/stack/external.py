"""A deployment that somebody else runs: it can be restarted by the command that its owner gave, no more."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator

from pytest_letta.errors import StackError
from pytest_letta.stack.stack import Stack

_RETURN_LIMIT_S = 180.0
_DOWNTIME_LIMIT_S = 5.0
_INTERVAL_S = 0.05
_OUTPUT_SHOWN = 2_000


class ExternalStack(Stack):
    """The service ``letta`` at `url`; `restart_command` is run by the shell, or ``None`` when there is none.

    Command and return may each take `return_limit_s` seconds. A command may return before the server goes down, as
    ``systemctl --no-block`` does: within `downtime_limit_s` seconds after it the downtime must have begun. What
    restarts without any, replica by replica, is to return when it is done.
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
        downtime_limit_s: float = _DOWNTIME_LIMIT_S,
    ) -> None:
        self.url = url
        self.proxy_url = proxy_url
        self._command = restart_command
        self.actions = frozenset() if restart_command is None else frozenset({"restart"})
        self._return_limit_s = return_limit_s
        self._downtime_limit_s = downtime_limit_s

    def restart(self, service: str, *, cold: bool = False) -> None:
        """Run the owner's command, see the server go down, and wait until it answers again; `cold` has no meaning.

        The proxy is waited for too if it was there before. Raises StackError when the command fails or does not end,
        or when no server answers within `return_limit_s` after it.
        """
        if service != "letta" or self._command is None:
            raise StackError(
                f"cannot restart {service}: this deployment is not ours. "
                "Give --letta-restart CMD, such as --letta-restart 'docker restart letta-server'."
            )
        proxies = [url for url in [self.proxy_url] if url is not None and _problem(url) is None]
        was_down = False
        for _ in self._running(self._command):
            was_down = was_down or _problem(self.url) is not None
        if not was_down:
            _wait(lambda: _problem(self.url) is not None, self._downtime_limit_s)
        for url in (self.url, *proxies):
            self._wait_until_healthy(url)

    def close(self) -> None:
        """Do nothing: the deployment goes on without us."""

    def _running(self, command: str) -> Iterator[None]:
        """Run the command and yield again and again while it runs."""
        with tempfile.TemporaryFile("w+") as output:
            process = subprocess.Popen(
                command, shell=True, text=True, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
            deadline = time.monotonic() + self._return_limit_s
            try:
                while process.poll() is None:
                    if time.monotonic() > deadline:
                        raise StackError(f"--letta-restart {command!r} was not done after {self._return_limit_s:g} s")
                    yield
                    time.sleep(_INTERVAL_S)
            finally:
                if process.returncode is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            if process.returncode != 0:
                output.seek(0)
                told = output.read()[-_OUTPUT_SHOWN:]
                raise StackError(f"--letta-restart {command!r} ended with {process.returncode}:\n{told}")

    def _wait_until_healthy(self, url: str) -> None:
        last = "no answer"

        def is_healthy() -> bool:
            nonlocal last
            problem = _problem(url)
            last = problem or last
            return problem is None

        if not _wait(is_healthy, self._return_limit_s):
            raise StackError(
                f"{url} was not healthy {self._return_limit_s:.0f} s after --letta-restart; last: {last}"
            )


def _wait(is_so: Callable[[], bool], limit_s: float) -> bool:
    """Wait until something is so, and tell whether it became so in time."""
    deadline = time.monotonic() + limit_s
    while not (found := is_so()) and time.monotonic() < deadline:
        time.sleep(_INTERVAL_S)
    return found


def _problem(url: str) -> str | None:
    """Return what is wrong with the server at `url`, or ``None`` when it is healthy."""
    import httpx

    try:
        answer = httpx.get(f"{url}/v1/health/", timeout=5)
    except httpx.TransportError as error:
        return f"{type(error).__name__}: {error}"
    return None if answer.status_code == 200 else f"status {answer.status_code}"
