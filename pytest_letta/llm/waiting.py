"""Wait on a connection: for the time of a token, or for the other side to go away."""

from __future__ import annotations

import math
import select
import socket
import time


class PeerGoneError(Exception):
    """The client closed its end, or the server is shutting down and has closed ours."""


def wait_until(connection: socket.socket, due: float) -> None:
    """Wait until the monotonic clock shows ``due``, which may have passed already.

    Raises PeerGoneError as soon as nobody can hear the answer any more: that is how a long silence
    never outlives its client or its server.
    """
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    while (left := due - time.monotonic()) > 0:
        events = poll.poll(math.ceil(left * 1000))
        if not events:
            continue
        if events[0][1] != select.POLLIN or not _has_data(connection):
            raise PeerGoneError
        # Data means a pipelined request. It is read later, and only the clock is left to wait for.
        poll.modify(connection, 0)


def wait_for_close(connection: socket.socket) -> None:
    """Wait, without limit, until the client or the server closes the connection."""
    try:
        while connection.recv(65_536):
            pass
    except OSError:
        return


def _has_data(connection: socket.socket) -> bool:
    try:
        return bool(connection.recv(1, socket.MSG_PEEK))
    except OSError:
        return False
