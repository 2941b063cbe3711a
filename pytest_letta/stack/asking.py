"""Asks a service over HTTP whether it is healthy."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_letta.stack.service import Address

_SHOWN = 200


def ask(address: Address, path: str, limit_s: float, headers: Mapping[str, str] | None = None) -> str | None:
    """Return ``None`` when GET `path` answers 200, else what came instead within `limit_s`, in one line.

    The plain client of the standard library: this is asked many times a second during a start, on a fresh
    connection each time, and through no proxy.
    """
    connection = HTTPConnection(address.host, address.port, timeout=limit_s)
    try:
        # Letta 0.13.0 answers 500 to whoever does not name himself.
        connection.request("GET", path, headers={"User-Agent": "pytest-letta", **(headers or {})})
        answer = connection.getresponse()
        if answer.status == 200:
            return None
        return f"{answer.status} {answer.read(_SHOWN)!r} from GET {path}"
    except (OSError, HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()
