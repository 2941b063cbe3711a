"""Names the cases of a parametrized contract, as faults say which of them they kill."""

from __future__ import annotations


def cases(id: str, *names: str) -> tuple[str, ...]:
    """Return the ids of some cases of the contract `id`, such as ``SSE-END-001[steps]``.

    Each of `names` is one case, or several with blanks between them.
    """
    return tuple(f"{id}[{name}]" for line in names for name in line.split())
