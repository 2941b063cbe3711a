"""Redis, which Letta keeps background streams and locks in."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence

from pytest_letta.stack import wheels
from pytest_letta.stack.process_service import ProcessService, plain_environment


class Redis(ProcessService):
    """Redis with the snapshot settings of its official image: an orderly stop saves, a kill loses."""

    name = "redis"

    def command(self) -> Sequence[str]:
        return [
            str(wheels.redis_server()),
            "--bind",
            self.address.host,
            "--port",
            str(self.address.port),
            "--dir",
            str(self.folder),
            "--daemonize",
            "no",
            # Each pair by itself: taken as one word, Redis 6.2 saves never, and tells nobody.
            *("--save", "3600", "1", "--save", "300", "100", "--save", "60", "10000"),
        ]

    def environment(self) -> Mapping[str, str]:
        return plain_environment(self.folder)

    def check(self, limit_s: float) -> str | None:
        try:
            with socket.create_connection((self.address.host, self.address.port), timeout=limit_s) as connection:
                connection.sendall(b"PING\r\n")
                answer = connection.recv(64)
        except OSError as error:
            return str(error)
        return None if answer == b"+PONG\r\n" else repr(answer)

    @property
    def url(self) -> str:
        return f"redis://{self.address}"
