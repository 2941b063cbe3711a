"""What the contracts of this suite share: patience with a service that was away, and asking both ways."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import pytest

from pytest_letta import must

if TYPE_CHECKING:
    import httpx

    from pytest_letta.conformance.differential import Question
    from pytest_letta.settings import Settings

Patience = Callable[[Callable[[], "httpx.Response"], str], "httpx.Response"]


class Differing(Protocol):
    """What `differing` gives."""

    def __call__(self, question: Question, headers: Sequence[str] = ...) -> str | None: ...


@pytest.fixture
def differing(letta_client: httpx.Client, letta_proxy_client: httpx.Client) -> Differing:
    """Return ``differing(question)``: how the answer through the proxy differs from the direct one, if it does."""
    from pytest_letta.conformance.differential import HEADERS, difference

    def ask_both(question: Question, headers: Sequence[str] = HEADERS) -> str | None:
        return difference(letta_client, letta_proxy_client, question, headers)

    return ask_both


@pytest.fixture
def first_success(letta_settings: Settings) -> Patience:
    """Return ``first_success(ask, after)``: ask until an answer is a success, and return that.

    The contract fails with the last answer when none is within twice the time that one request may take, a minute
    unless --letta-timeout says otherwise: names are looked up anew after seconds, and dead connections are noticed
    when they are used, so what is not found by then is found when somebody restarts it. `after` says after what.
    """
    limit_s = 2 * letta_settings.timeout

    def first(ask: Callable[[], httpx.Response], after: str) -> httpx.Response:
        started = time.monotonic()
        while True:
            answer, seen = _tried(ask)
            if answer is not None:
                return answer
            waited_s = time.monotonic() - started
            must(f"{waited_s:.0f} s {after}, {seen}" if waited_s > limit_s else None)
            time.sleep(0.5)

    return first


def _tried(ask: Callable[[], httpx.Response]) -> tuple[httpx.Response | None, str]:
    import httpx

    from pytest_letta.telling import answered

    try:
        answer = ask()
    except httpx.TransportError as error:
        return None, f"there was no answer: {error!r}"
    return (answer, "") if answer.is_success else (None, answered(answer))
