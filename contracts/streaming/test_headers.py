"""Headers: a stream is called one, and nothing in its head has it kept, packed or held back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.conformance.checks import not_for_caches, status

from .modes import CHAT, MODES

if TYPE_CHECKING:
    from pytest_letta import Deployment
    from pytest_letta.agent import Agent
    from pytest_letta.streaming import StreamOpener, TurnStream

    from .modes import Speaker


def _lowered(stream: TurnStream) -> Mapping[str, str]:
    return {name.lower(): value for name, value in stream.response.headers.items()}


def _oddity(head: Mapping[str, str]) -> str | None:
    kind = head.get("content-type", "").lower().replace(" ", "")
    if kind not in {"text/event-stream", "text/event-stream;charset=utf-8"}:
        return f"its content type is {kind or 'missing'}"
    for name in ("content-length", "content-encoding"):
        if name in head:
            return f"it has {name} {head[name]}, so it was held back or waits for more to pack"
    return not_for_caches(head)


@contract(
    "SSE-HEAD-001",
    needs=["streaming"],
    because="what knows its length was held back until its end, and what packs waits for more to pack",
)
def test_head_holds_nothing_back(letta_deployment: Deployment, opener: StreamOpener, speaker: Speaker) -> None:
    """In each mode a stream is text/event-stream in UTF-8, without length or content encoding, not for caches."""
    for mode in (mode for mode in (*MODES, CHAT) if not mode.missing(letta_deployment)):
        with mode.open(opener, speaker, "Hello.") as stream:
            must(status(stream.response))
            stream.read_all()
        problem = _oddity(_lowered(stream))
        must(problem and f"head of the stream ({mode.name}): {problem}")


@contract(
    "SSE-HEAD-002",
    level="should",
    needs=["streaming"],
    because="caches and mobile networks keep what they are not told to leave, and guides to event streams ask for it",
)
def test_head_forbids_storing(letta_agent: Agent, letta_stream: StreamOpener) -> None:
    """A stream says Cache-Control: no-cache or no-store."""
    with letta_stream(letta_agent, "Hello.", tokens=True) as stream:
        stream.read_all()

    said = _lowered(stream).get("cache-control", "nothing")
    must(None if "no-cache" in said or "no-store" in said else f"cache-control of the stream says {said}")


@contract(
    "SSE-HEAD-003",
    level="should",
    needs=["streaming"],
    because="nginx buffers by default; this header, which it obeys and takes out, spares each user a directive",
)
def test_head_asks_not_to_be_buffered(letta_agent: Agent, letta_stream: StreamOpener) -> None:
    """A stream says X-Accel-Buffering: no."""
    with letta_stream(letta_agent, "Hello.", tokens=True) as stream:
        stream.read_all()

    said = _lowered(stream).get("x-accel-buffering", "nothing")
    must(None if said.strip().lower() == "no" else f"x-accel-buffering of the stream says {said}")
