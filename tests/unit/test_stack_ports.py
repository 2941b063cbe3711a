"""Ports: free ones, and free ones in a row."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from pytest_letta.stack.ports import HOST, consecutive_ports, free_ports


def test_ports_in_a_row_are_free_and_in_a_row() -> None:
    ports = consecutive_ports(5)

    assert ports == list(range(ports[0], ports[0] + 5))
    with ExitStack() as held:
        for port in ports:
            held.enter_context(socket.socket()).bind((HOST, port))


def test_free_ports_differ() -> None:
    assert len(set(free_ports(20))) == 20
