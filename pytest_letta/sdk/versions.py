"""Which version of letta-client belongs to which release of the server."""

from __future__ import annotations

from typing import Final, NamedTuple


class Client(NamedTuple):
    """A version of letta-client; its dependencies are resolved as of the day `as_of` (ISO 8601)."""

    version: str
    as_of: str


#: The last one, of June 2026: the server was archived in August.
NEWEST: Final = Client("1.12.1", "2026-06-03")

#: The newest at PyPI on the day as of which a release of the server is installed. The client has another interface
#: up to 0.1: it begins with 1.0 of November 2025, for Letta 0.14.
_OF_SERVER: Final = {
    "0.14.0": Client("1.1.2", "2025-11-24"),
    "0.15.0": Client("1.3.2", "2025-12-05"),
    "0.15.1": Client("1.3.2", "2025-12-06"),
    "0.16.0": Client("1.6.2", "2025-12-25"),
    "0.16.1": Client("1.6.2", "2025-12-28"),
    "0.16.2": Client("1.7.3", "2026-01-22"),
    "0.16.4": Client("1.7.8", "2026-02-08"),
    "0.16.5": Client("1.7.12", "2026-03-10"),
    "0.16.6": Client("1.7.12", "2026-03-14"),
    "0.16.7": Client("1.10.2", "2026-04-10"),
    "0.16.8": Client("1.11.0", "2026-05-15"),
}


#: The first release of the server that clients of the present interface are for.
_FIRST = (0, 14)


def is_older(server: str | None) -> bool:
    """Tell whether a release of the server is from before the clients of the present interface."""
    parts = (server or "").split(".")[:2]
    return len(parts) == 2 and all(map(str.isdecimal, parts)) and tuple(map(int, parts)) < _FIRST


def client_of(server: str | None) -> Client | None:
    """Return the client that belongs to a release of the server; None where we know of none."""
    return _OF_SERVER.get(server or "")
