"""Tells, as one line of JSON, what the letta-client of this Python calls; this file imports nothing of this package.

``{"operations": {"GET /v1/agents/x": "client.agents.retrieve", ...}, "silent": [...]}``: `x` stands for any id, and
silent methods called nothing, such as those that make a tool of a function.
"""

from __future__ import annotations

import importlib
import inspect
import json
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import httpx

#: What stands for an argument of the client, by what is in its annotation; the first that fits.
_FILLERS: tuple[tuple[str, Any], ...] = (
    ("FileTypes", b"x"),
    ("Iterable", []),
    ("Sequence", []),
    ("str", "x"),
    ("bool", True),
    ("int", 1),
)


def surface(module: Any) -> dict[str, Any]:
    """Call every method of a client that reaches no server; tell which operation each would have called."""
    called: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        called.append(f"{request.method} {request.url.raw_path.decode().partition('?')[0]}")
        return httpx.Response(418)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    client = module.Letta(base_url="http://nowhere.invalid", api_key="none", max_retries=0, http_client=http)
    operations: dict[str, str] = {}
    silent: list[str] = []
    for name, method in _methods(client, "client"):
        called.clear()
        _call_somehow(method, is_needed)
        if not called:  # with overloads, the signature does not tell what is needed
            _call_somehow(method, is_own)
        operations.update(dict.fromkeys(called, name))
        silent += [] if called else [name]
    return {"operations": operations, "silent": silent}


def _methods(owner: Any, name: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    for part in sorted(vars(type(owner))):
        if part.startswith(("_", "with_")):
            continue
        found = getattr(owner, part)
        if callable(found) and "extra_headers" in inspect.signature(found).parameters:
            yield f"{name}.{part}", found
        elif type(found).__module__.startswith("letta_client.resources"):
            yield from _methods(found, f"{name}.{part}")


def is_needed(one: inspect.Parameter) -> bool:
    """Tell whether a method cannot be called without this argument."""
    return one.default is one.empty


def is_own(one: inspect.Parameter) -> bool:
    """Tell whether an argument is of the operation, and not one that every method has."""
    return one.name != "timeout" and not one.name.startswith("extra_")


def _call_somehow(method: Callable[..., Any], chosen: Callable[[inspect.Parameter], bool]) -> None:
    filled = [one for one in inspect.signature(method).parameters.values() if chosen(one)]
    args: dict[str, Any] = {
        one.name: next((v for k, v in _FILLERS if k in str(one.annotation)), {}) for one in filled
    }
    try:
        method(**args)
    except Exception:  # the answer is an error, and what follows from it is the client's own affair
        return


def _filler(one: inspect.Parameter) -> Any:
    return next((value for kind, value in _FILLERS if kind in str(one.annotation)), {})


def main() -> None:
    """Print it."""
    warnings.simplefilter("ignore")  # of methods that are deprecated
    print(json.dumps(surface(importlib.import_module("letta_client"))))


if __name__ == "__main__":
    main()
