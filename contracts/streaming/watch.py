"""Watches what comes through the proxy, so that a finding names the setting of nginx that is missing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_letta.conformance.nginx_cures import Crossing, stream_cure
from pytest_letta.streaming import StreamOpener, TurnStream

if TYPE_CHECKING:
    import httpx

_UNTOUCHED = "no proxy_cache, no sub_filter, no charset, no module that rewrites what Letta sends"
#: A turn that takes less is over before one can tell whether it was held back.
_LONG_S = 1.5
#: Of the time from the request to the last event: what comes within less came together.
_TOGETHER = 0.5


class Watch:
    """What was asked for through the proxy in one test, and what came."""

    def __init__(self) -> None:
        self.streams: list[tuple[float, TurnStream]] = []
        self._answers: list[httpx.Response] = []

    @contextmanager
    def listen(self, client: httpx.Client) -> Iterator[None]:
        """Keep every answer that `client` gets."""
        client.event_hooks["response"].append(self._answers.append)
        try:
            yield
        finally:
            client.event_hooks["response"].remove(self._answers.append)

    def explain(self, error: Exception) -> str:
        """Return what to look at in nginx, for a finding of the test."""
        import httpx

        is_broken = isinstance(error, httpx.TransportError)
        crossings = [self._crossing(asked, stream, is_broken) for asked, stream in self.streams]
        crossings += [Crossing(one.status_code, _headers(one)) for one in self._answers if one.is_error]
        if is_broken and not crossings:
            crossings = [Crossing()]
        return _told(next(filter(None, map(stream_cure, crossings)), None))

    def _crossing(self, asked: float, stream: TurnStream, is_broken: bool) -> Crossing:
        arrivals = [event.at for event in stream.events] or [time.monotonic()]
        took_s, spread_s = arrivals[-1] - asked, arrivals[-1] - arrivals[0]
        return Crossing(
            stream.response.status_code,
            _headers(stream.response),
            is_cut=is_broken or (stream.leftover is not None and not (stream.events and stream.events[-1].is_done)),
            is_held=took_s > _LONG_S and spread_s < _TOGETHER * took_s,
        )


class WatchedOpener(StreamOpener):
    """Opens streams that `watch` sees."""

    def __init__(self, client: httpx.Client, deadline_s: float, watch: Watch) -> None:
        super().__init__(client, deadline_s)
        self._watch = watch

    @contextmanager
    def _open(self, path: str, body: dict[str, Any], deadline_s: float | None = None) -> Iterator[TurnStream]:
        asked = time.monotonic()
        with super()._open(path, body, deadline_s) as stream:
            self._watch.streams.append((asked, stream))
            yield stream


def _headers(answer: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}


def _told(cure: str | None) -> str:
    return f"(nginx, unless the server does the same directly: {cure or _UNTOUCHED})"
