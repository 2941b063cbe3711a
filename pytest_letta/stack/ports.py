"""Chooses ports for services that start soon."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

HOST = "127.0.0.1"

#: Returns that many different ports which nobody listened on a moment ago.
PortChooser = Callable[[int], Sequence[int]]

_LOWEST = 15_000
_EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES = 200


def free_ports(count: int) -> list[int]:
    """Return `count` free ports of the loopback address, below those that the kernel gives to clients.

    A client port would do for the first start, but while a service is down the kernel may hand its port to any
    outgoing connection of this machine, and the service could not come back.
    """
    low = _first_client_port()
    with ExitStack() as held:
        return [_bind(held, low) for _ in range(count)]


def consecutive_ports(count: int) -> list[int]:
    """Return `count` such ports in a row, for the replicas of one service, which an engine gives a range."""
    low = _first_client_port()
    for _ in range(_TRIES):
        with ExitStack() as held, suppress(OSError):
            first = _bind(held, low)
            return [first, *(_bind_this(held, first + further) for further in range(1, count))]
    raise OSError(f"no {count} free ports in a row on {HOST} in {_TRIES} tries")


def _bind_this(held: ExitStack, port: int) -> int:
    one = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    one.bind((HOST, port))
    return port


def _bind(held: ExitStack, low: int) -> int:
    for _ in range(_TRIES):
        candidate = random.randrange(_LOWEST, low) if low > _LOWEST + 1_000 else 0
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            one.bind((HOST, candidate))
        except OSError:
            one.close()
            continue
        held.callback(one.close)
        port: int = one.getsockname()[1]
        return port
    raise OSError(f"no free port between {_LOWEST} and {low} on {HOST} in {_TRIES} tries")


def _first_client_port() -> int:
    try:
        return int(_EPHEMERAL_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 32_768  # Linux's default; other systems begin higher
