"""What a run creates on a deployment: named and tagged as its own, and deleted by id when it is done."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

#: Every name begins with it and every agent carries it as a tag.
MARK = "pytest-letta"

_GONE = (200, 202, 204, 404, 410)


class Ledger:
    """Names for new resources, and the list of those to delete.

    Nothing is ever listed and deleted: only paths that were entered here. `leftovers` collects what could
    not be removed, one line each.
    """

    _numbers = count(1)

    def __init__(self, run_id: str, leftovers: list[str]) -> None:
        self._prefix = f"{MARK}-{run_id}"
        self._leftovers = leftovers
        self._paths: list[str] = []

    @property
    def tags(self) -> list[str]:
        """Tags for an agent of this run."""
        return [MARK, self._prefix]

    def name(self) -> str:
        """Return a name that no other resource of any run has."""
        return f"{self._prefix}-{next(self._numbers)}"

    def enter(self, path: str) -> None:
        """Note a resource, such as ``/v1/blocks/block-...``, for deletion."""
        self._paths.append(path)

    def clear(self, client: httpx.Client) -> None:
        """Delete all that was entered, newest first; what is gone already is fine."""
        for path in self._newest_first():
            if problem := _deletion_problem(client, path):
                self._leftovers.append(f"{path}: {problem}")

    def _newest_first(self) -> Iterator[str]:
        while self._paths:
            yield self._paths.pop()


def _deletion_problem(client: httpx.Client, path: str) -> str | None:
    import httpx

    try:
        answer = client.delete(path)
        # Letta refuses to delete a tool that is gone with 400, as it does one that must stay.
        is_gone = answer.status_code in _GONE or client.get(path).status_code in {404, 410}
    except httpx.TransportError as error:
        return f"{type(error).__name__}: {error}"
    return None if is_gone else f"DELETE answered {answer.status_code}"
