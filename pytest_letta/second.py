"""A second server of the stack, as a test uses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

    from pytest_letta.stack.stack import Stack


class SecondStarter:
    """Starts second servers of `stack`, one at a time; `open_client` makes a client of a base URL."""

    def __init__(self, stack: Stack, open_client: Callable[[str], httpx.Client]) -> None:
        self._stack = stack
        self._open_client = open_client
        self._client: httpx.Client | None = None

    def __call__(self, database: str = "same") -> httpx.Client:
        """Start a server on `database` (see `Stack.start_second`) and return a client of it.

        The server of an earlier call is ended first.
        """
        self.close()
        self._client = self._open_client(self._stack.start_second(database).url)
        return self._client

    def close(self) -> None:
        """End the server and its client, if there are any."""
        if self._client is not None:
            self._client.close()
            self._client = None
            self._stack.stop_second()
