"""A stack whose actions are noted, as the commands by which an operator would do the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_letta.stack.delegating import DelegatingStack
from pytest_letta.stack.stack import Stack

#: As the documented architecture names the containers; the network is that of its compose file.
_COMMANDS = {
    "start": "docker start letta-{}",
    "stop": "docker stop letta-{}",
    "restart": "docker restart letta-{}",
    "kill": "docker kill letta-{}",
    "pause": "docker pause letta-{}",
    "resume": "docker unpause letta-{}",
    "reload": "docker exec letta-{} nginx -s reload",
    "partition": "docker network disconnect letta-network letta-{}",
    "rejoin": "docker network connect letta-network letta-{}",
    "recreate": "docker compose up --detach --force-recreate --no-deps letta-{}",
}
_CONTAINERS = {"letta": "server"}


class NotedStack(DelegatingStack):
    """`inner`, each of whose actions is told to `note` as a command line, before it is done."""

    def __init__(self, inner: Stack, note: Callable[[str], None]) -> None:
        super().__init__(inner)
        self._note = note

    def __getattr__(self, name: str) -> Any:
        """Have what one provider alone offers: it is his stack that a user asked for."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._inner, name)

    def _act(self, action: str, service: str, **how: Any) -> None:
        self._note(_COMMANDS[action].format(_CONTAINERS.get(service, service)))
        super()._act(action, service, **how)
