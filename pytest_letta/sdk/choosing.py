"""Which clients a run drives: the server's own, the newest, and the one that is installed beside us."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pytest_letta.errors import MissingExtraError
from pytest_letta.sdk import environment
from pytest_letta.sdk.client import Sdk
from pytest_letta.sdk.versions import NEWEST, Client, client_of, is_older

if TYPE_CHECKING:
    from pytest_letta.client import Recorder
    from pytest_letta.stack.progress import Progress

Which = Literal["own", "newest", "installed"]


class Sdks:
    """Starts each client at its first use, for one server, and ends them together.

    `server` is the version of that server; `setup` is what the driver is told: base_url, token, timeout_s, ...
    """

    def __init__(
        self,
        server: str | None,
        setup: Mapping[str, Any],
        *,
        cache_dir: Path,
        progress: Progress,
        recorder: Recorder,
    ) -> None:
        self._server = server
        self._setup = setup
        self._cache_dir = cache_dir
        self._progress = progress
        self._recorder = recorder
        self._started: dict[str, Sdk] = {}

    def get(self, which: Which) -> Sdk | str:
        """Return a client, or a text that says why there is none to speak of, such as without the extra ``sdk``.

        Raises StackError or SdkError when there is one, and it cannot be had.
        """
        if which == "installed":
            version = environment.installed()
            if version is None:
                return "letta-client is not installed here: pip install 'pytest-letta[sdk]'"
            if version.startswith("0."):
                return f"letta-client {version} here has another interface: pip install 'letta-client>=1'"
            return self._start(version, None)
        if is_older(self._server):
            return f"letta-client 1.0 and later are for Letta 0.14 and later; this server is {self._server}"
        client = NEWEST if which == "newest" else client_of(self._server)
        if client is None:
            return f"no version of letta-client is known to belong to Letta {self._server}"
        try:
            return self._start(client.version, client)
        except MissingExtraError as error:
            return str(error)

    def close(self) -> None:
        """End the processes."""
        while self._started:
            self._started.popitem()[1].close()

    def _start(self, version: str, client: Client | None) -> Sdk:
        sdk = self._started.get(version)
        if sdk is not None and not sdk.is_over:
            return sdk
        if sdk is not None:
            sdk.close()
        command = (
            environment.command(client, self._cache_dir, self._progress) if client else environment.own_command()
        )
        self._started[version] = Sdk(command, self._setup, self._recorder)
        return self._started[version]
