"""A stack whose actions are noted: the command comes first, and all else is the stack's own."""

from __future__ import annotations

import pytest

from pytest_letta.errors import StackError
from pytest_letta.stack.external import ExternalStack
from pytest_letta.stack.noted import NotedStack


def test_an_action_is_noted_before_it_is_done() -> None:
    notes: list[str] = []
    stack = NotedStack(ExternalStack("http://127.0.0.1:9", None, None), notes.append)

    for action, service in (("kill", "postgres"), ("restart", "letta"), ("partition", "redis")):
        with pytest.raises(StackError, match=f"cannot {action}"):
            getattr(stack, action)(service)

    assert notes == [
        "docker kill letta-postgres",
        "docker restart letta-server",
        "docker network disconnect letta-network letta-redis",
    ]


def test_what_one_provider_alone_offers_is_there() -> None:
    inner = ExternalStack("http://127.0.0.1:9", None, "true")
    inner.remark = "mine"  # type: ignore[attr-defined]
    stack = NotedStack(inner, print)

    assert (stack.remark, stack.url, stack.actions) == ("mine", inner.url, inner.actions)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = stack.nonsense
