"""Names the cases of a parametrized contract, as faults say which of them they kill."""

from __future__ import annotations


def cases(id: str, *names: str) -> tuple[str, ...]:
    """Return the ids of some cases of the contract `id`, such as ``SSE-END-001[steps]``."""
    return tuple(f"{id}[{name}]" for name in names)
