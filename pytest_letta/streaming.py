"""One turn of an agent as a stream of events, opened, read within a bound, resumed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_letta.errors import StreamError
from pytest_letta.sse import Comment, Event, read_stream

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent

#: The states of a run that has not ended.
OPEN = frozenset({"created", "running"})


class TurnStream:
    """The open stream of a turn. Iterate over its events; `events` and `comments` keep what was read."""

    def __init__(self, response: httpx.Response, deadline_s: float) -> None:
        self.response = response
        self.events: list[Event] = []
        self.comments: list[Comment] = []
        self._items = read_stream(response, deadline_s=deadline_s)

    def __iter__(self) -> Iterator[Event]:
        for item in self._items:
            if isinstance(item, Comment):
                self.comments.append(item)
            else:
                self.events.append(item)
                yield item

    @property
    def leftover(self) -> str | None:
        """Text after the last blank line: ``""`` after a proper end, ``None`` while the stream runs."""
        return self._items.leftover

    @property
    def ignored(self) -> list[str]:
        """Lines whose field event streams do not have, as a line of HTML in their midst."""
        return self._items.decoder.ignored

    def read(self, count: int) -> list[Event]:
        """Read the next `count` events, fewer when the stream ends before, and return all read so far."""
        for _ in zip(range(count), self, strict=False):
            pass
        return self.events

    def read_all(self) -> list[Event]:
        """Read to the end of the stream and return all its events."""
        for _ in self:
            pass
        return self.events


class StreamOpener:
    """Opens streams at one address of the deployment; each is bounded by `deadline_s` in all."""

    def __init__(self, client: httpx.Client, deadline_s: float) -> None:
        self._client = client
        self._deadline_s = deadline_s

    @contextmanager
    def __call__(
        self, agent: Agent, text: str, *, tokens: bool = False, background: bool = False, **body: Any
    ) -> Iterator[TurnStream]:
        """Send a user message and stream the turn.

        `tokens` asks for tokens instead of whole messages, `background` for a run that outlives the
        connection (it needs Redis). `body` adds fields to the request. The status is not checked here.
        """
        if background:
            body["background"] = True
        with self._open(f"{agent.path}/messages/stream", _turn(text, tokens) | body) as stream:
            yield stream

    @contextmanager
    def converse(self, conversation_id: str, text: str, *, tokens: bool = False, **body: Any) -> Iterator[TurnStream]:
        """Send a user message to a conversation (Letta 0.16.2 and later) and stream the turn."""
        with self._open(f"/v1/conversations/{conversation_id}/messages", _turn(text, tokens) | body) as stream:
            yield stream

    @contextmanager
    def chat(self, agent: Agent, text: str, **body: Any) -> Iterator[TurnStream]:
        """Send a user message as clients of OpenAI do, with the agent as the model, and stream the turn."""
        sent = {"model": agent.id, "stream": True, "messages": [{"role": "user", "content": text}], **body}
        with self._open("/v1/chat/completions", sent) as stream:
            yield stream

    @contextmanager
    def resume(
        self, run_id: str, starting_after: int, *, deadline_s: float | None = None, **body: Any
    ) -> Iterator[TurnStream]:
        """Stream what follows event number `starting_after` of a background run, within `deadline_s` if given."""
        sent = {"starting_after": starting_after, **body}
        with self._open(f"/v1/runs/{run_id}/stream", sent, deadline_s) as stream:
            yield stream

    @contextmanager
    def _open(self, path: str, body: dict[str, Any], deadline_s: float | None = None) -> Iterator[TurnStream]:
        deadline_s = deadline_s or self._deadline_s
        with self._client.stream("POST", path, json=body, timeout=deadline_s) as response:
            yield TurnStream(response, deadline_s)


def payloads(events: list[Event], message_type: str | None = None) -> list[dict[str, Any]]:
    """Return the JSON objects of `events` without the final ``[DONE]``; only those of `message_type` if given."""
    found = [event.json() for event in events if not event.is_done]
    return [one for one in found if message_type is None or one.get("message_type") == message_type]


def text_of(events: list[Event]) -> str:
    """Return the assistant's text of a stream: the contents of its ``assistant_message`` events, joined."""
    return "".join(_content(one) for one in payloads(events, "assistant_message"))


def lasting(events: list[Event]) -> list[Event]:
    """Leave out the pings of a silence, which are of that reader only: they have no number of their own, or none yet.

    All else in a background stream is kept, the ping of its beginning too, and comes again in a resume.
    """
    kept: list[Event] = []
    numbers: set[object] = {None}
    for event in events:
        one = {} if event.is_done else event.json()
        if one.get("message_type") != "ping" or one.get("seq_id") not in numbers:
            kept.append(event)
        numbers.add(one.get("seq_id"))
    return kept


def run_id_of(events: list[Event]) -> str:
    """Return the id of the run that a stream is about; raises StreamError when no event carries one."""
    for one in payloads(events):
        if one.get("run_id"):
            return str(one["run_id"])
    raise StreamError(f"none of the {len(events)} events read so far carries a run_id")


def wait_for_run(client: httpx.Client, run_id: str, *, limit_s: float = 15.0) -> dict[str, Any]:
    """Wait until a run has ended, at most `limit_s` seconds, and return it as it is then.

    Its ``status`` is one of OPEN when it has not. Raises httpx.HTTPStatusError when it cannot be read.
    """
    deadline = time.monotonic() + limit_s
    while True:
        answer = client.get(f"/v1/runs/{run_id}")
        answer.raise_for_status()
        run: dict[str, Any] = answer.json()
        if run["status"] not in OPEN or time.monotonic() > deadline:
            return run
        time.sleep(0.1)


def _turn(text: str, tokens: bool) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], "stream_tokens": tokens}


def _content(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)
