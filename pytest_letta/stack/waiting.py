"""Waits for services, and says all that is known when they do not come."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pytest_letta.errors import PortTakenError, ServiceError

if TYPE_CHECKING:
    from threading import Event

    from pytest_letta.stack.service import Service

_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.1
_SHORTEST_LIMIT_S = 0.5
_LONGEST_LIMIT_S = 10.0
_LOG_LINES = 40


def wait_healthy(service: Service, given_up: Event | None = None) -> None:
    """Return when the service gives the right answer on a port that is its own.

    Raises PortTakenError when somebody else has the port, and ServiceError when the service dies, when its limit has
    passed, or when `given_up` is set.
    """
    started = time.monotonic()
    pause_s = _FIRST_PAUSE_S
    last = "nothing was asked yet"
    while (waited_s := time.monotonic() - started) < service.start_limit_s:
        if given_up is not None and given_up.is_set():
            raise ServiceError(f"{service.name} is not waited for any longer: the start of the stack was given up.")
        if not service.is_running:
            raise _death(service, waited_s)
        # As patient with one answer as we have been so far: a dead service behind a silent port is noticed soon,
        # and a slow machine gets its time.
        answer = service.check(min(max(waited_s, _SHORTEST_LIMIT_S), _LONGEST_LIMIT_S))
        if answer is None and service.owns_its_port():
            return
        last = answer or f"the right one, but of another process that listens on {service.address}"
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
    raise ServiceError(
        f"{service.name} was not healthy at {service.address} after {waited_s:.0f} s; last answer: {last}."
        + told_log(service)
    )


def told_log(service: Service) -> str:
    """Return the last lines of the log, as the end of a message."""
    return f"\nThe last lines of {service.log_place}:\n{service.log_tail(_LOG_LINES).rstrip()}"


def _death(service: Service, waited_s: float) -> ServiceError | PortTakenError:
    if service.found_its_port_taken():
        return PortTakenError(f"{service.name} found its port taken: {service.address}.")
    return ServiceError(
        f"{service.name} {service.ending()} after {waited_s:.1f} s, before it was healthy at {service.address}."
        + told_log(service)
    )
