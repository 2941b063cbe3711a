"""Keep the exchanges of a test, bounded and from any thread."""

from __future__ import annotations

import threading
from collections import deque

from pytest_letta.exchange import Exchange, Note, Redactor, curl


class Recorder:
    """The newest exchanges of all clients that were opened with it.

    At most `keep` exchanges and `keep_bytes` bytes of bodies are held, the oldest go first. What is handed
    out has no credentials in it.
    """

    def __init__(
        self, redactor: Redactor | None = None, *, keep: int = 2000, keep_bytes: int = 64 * 1024 * 1024
    ) -> None:
        self.redactor = redactor or Redactor()
        self._keep = keep
        self._keep_bytes = keep_bytes
        self._lock = threading.Lock()
        self._held: deque[Exchange] = deque()
        self._notes: deque[Note] = deque(maxlen=keep)
        self._bytes = 0
        self._begun = 0
        self._fresh = 0
        self.commands = 0

    def __repr__(self) -> str:
        return f"<Recorder of {len(self._held)} exchanges>"

    def hide(self, secret: str | None) -> None:
        """Keep a secret out of everything that is handed out from now on; None hides nothing."""
        with self._lock:
            self.redactor = self.redactor.including(secret)

    def begin(self) -> int:
        """Return the number of a request that starts now."""
        with self._lock:
            self._begun += 1
            return self._begun

    def add(self, exchange: Exchange) -> None:
        """Keep an exchange that is over."""
        with self._lock:
            self._held.append(exchange)
            self._bytes += _size(exchange)
            while self._held and (len(self._held) > self._keep or self._bytes > self._keep_bytes):
                self._bytes -= _size(self._held.popleft())

    def note(self, text: str) -> None:
        """Keep a command that was carried out between two requests; `commands` counts them."""
        with self._lock:
            self._begun += 1
            self.commands += 1
            self._notes.append(Note(text, self._begun))

    def start_afresh(self) -> None:
        """Have nothing of before count as part of the story: what follows repeats a failure by itself."""
        with self._lock:
            self._fresh = self._begun

    def story_since(self, mark: int) -> list[Exchange | Note]:
        """Return the exchanges and the notes after a mark and after the last fresh start, in their order."""
        with self._lock:
            mark = max(mark, self._fresh)
            notes = [note for note in self._notes if note.number > mark]
        return sorted([*self.since(mark), *notes], key=lambda each: each.number)

    @property
    def exchanges(self) -> list[Exchange]:
        """All exchanges that are held, in the order in which they began, fit to be shown."""
        return self.since(0)

    def mark(self) -> int:
        """Return a mark for `since`: this point in the order in which requests begin."""
        with self._lock:
            return self._begun

    def since(self, mark: int) -> list[Exchange]:
        """Return the exchanges that began after a mark and are over, in the order in which they began."""
        with self._lock:
            found = [exchange for exchange in self._held if exchange.number > mark]
        return [exchange.redacted(self.redactor) for exchange in sorted(found, key=lambda each: each.number)]

    def curl_since(self, mark: int) -> list[str]:
        """Return a curl line for each exchange that began after a mark."""
        return [curl(exchange, self.redactor) for exchange in self.since(mark)]


def _size(exchange: Exchange) -> int:
    return len(exchange.request_body) + len(exchange.body)
