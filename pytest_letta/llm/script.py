"""The scripted model without any I/O: scripts by key, the reply to a prompt, the requests it has seen."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pytest_letta.errors import ModelError
from pytest_letta.llm.prompt import KEY_PATTERN, find_key, find_script, last_user_text, texts
from pytest_letta.llm.reply import Reply, fail, say

KEPT_REQUESTS = 5_000
KEPT_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class RecordedRequest:
    """One call that reached the model.

    ``number`` counts from 1 and never repeats; ``body`` is the decoded JSON; ``key`` is the script's, None
    without a marker; ``at`` is in seconds since the epoch.
    """

    number: int
    path: str
    body: Any
    key: str | None
    at: float

    def to_json(self) -> dict[str, Any]:
        """Return the request as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RecordedRequest:
        """Read what `to_json` wrote."""
        return cls(**value)


@dataclass(frozen=True)
class Turn:
    """The reply that was chosen for one chat request, and why: the script's key and the step in it."""

    key: str | None
    step: int
    length: int
    reply: Reply

    def make_id(self, prefix: str) -> str:
        """Make an id that is the same whenever this reply answers this point of a conversation.

        The number of messages takes part: one script that runs twice in a conversation must not give
        two tool calls of the same id.
        """
        seed = json.dumps([self.key, self.step, self.length, self.reply.to_json()])
        return prefix + hashlib.blake2b(seed.encode(), digest_size=12).hexdigest()


@dataclass(frozen=True)
class _Kept:
    number: int
    path: str
    text: str
    key: str | None
    at: float


class ScriptedModel:
    """Hold scripts, choose replies and remember requests; safe to use from several threads.

    ``keep`` and ``keep_bytes`` bound what is remembered: the newest so many requests, of so many
    characters of JSON in all.
    """

    def __init__(self, *, keep: int = KEPT_REQUESTS, keep_bytes: int = KEPT_BYTES) -> None:
        self._scripts: dict[str, tuple[Reply, ...]] = {}
        self._kept: deque[_Kept] = deque()
        self._size = 0
        self._number = 0
        self._keep = keep
        self._keep_bytes = keep_bytes
        self._lock = threading.Lock()

    def put(self, key: str, replies: Sequence[Reply]) -> None:
        """Store a script under its key, over an older one. Raises ModelError for a bad key or no reply."""
        check_key(key)
        if not replies:
            raise ModelError(f"script {key!r} must have at least one reply.")
        with self._lock:
            self._scripts[key] = tuple(replies)

    def drop(self, key: str) -> bool:
        """Forget a script; False where there was none."""
        with self._lock:
            return self._scripts.pop(key, None) is not None

    def choose(self, messages: Sequence[Mapping[str, Any]]) -> Turn:
        """Choose the reply to a prompt.

        Past its last reply a script repeats it where it is a `say`, and says "Done." otherwise. Without
        a marker the model echoes. A marker without a script is refused, for silence would hide the slip.
        """
        key, step = find_script(messages)
        if key is None:
            return Turn(None, step, len(messages), say(f"You said: {last_user_text(messages)}"))
        with self._lock:
            replies = self._scripts.get(key)
        return Turn(key, step, len(messages), _at(key, replies, step))

    def choose_failure(self, body: Any) -> Turn | None:
        """Choose the answer to a call for embeddings, where it is to fail: its script begins with a `fail`.

        A marker of any other script, or of none, is text to embed as all other is.
        """
        key = _key_of(body)
        with self._lock:
            replies = self._scripts.get(key or "", ())
        return Turn(key, 0, 0, replies[0]) if replies and replies[0].kind == "fail" else None

    def record(self, path: str, body: Any) -> int:
        """Remember a request, whatever its shape, and return its number."""
        text = json.dumps(body)
        with self._lock:
            self._number += 1
            self._kept.append(_Kept(self._number, path, text, _key_of(body), time.time()))
            self._size += len(text)
            while len(self._kept) > self._keep or self._size > self._keep_bytes:
                self._size -= len(self._kept.popleft().text)
            return self._number

    def requests(self, key: str | None = None, path: str | None = None, since: int = 0) -> list[RecordedRequest]:
        """Return the remembered requests, oldest first; None means any, ``since`` only higher numbers."""
        with self._lock:
            kept = list(self._kept)
        return [
            RecordedRequest(item.number, item.path, json.loads(item.text), item.key, item.at)
            for item in kept
            if item.number > since and key in (None, item.key) and path in (None, item.path)
        ]

    def forget_requests(self, key: str | None = None) -> int:
        """Forget the requests of a key, all where it is None; return how many went."""
        with self._lock:
            stay = [item for item in self._kept if key is not None and item.key != key]
            gone = len(self._kept) - len(stay)
            self._kept = deque(stay)
            self._size = sum(len(item.text) for item in stay)
        return gone


def check_key(key: str) -> str:
    """Return the key, or raise ModelError where no marker could carry it."""
    if not re.fullmatch(KEY_PATTERN, key):
        raise ModelError(f"a script's key must be 1 to 64 of letters, digits, '.', '_' and '-', got {key!r}.")
    return key


def _at(key: str, replies: tuple[Reply, ...] | None, step: int) -> Reply:
    if replies is None:
        # 400, because Letta and the OpenAI client try other statuses again and again.
        return fail(400, f"The scripted model has no script {key!r}.", code="script_not_found")
    if step < len(replies):
        return replies[step]
    return replies[-1] if replies[-1].kind == "say" else say("Done.")


def _key_of(body: Any) -> str | None:
    if not isinstance(body, dict):
        return None
    messages = body.get("messages")
    if isinstance(messages, list):
        return find_script([message for message in messages if isinstance(message, dict)])[0]
    return find_key(list(texts(body.get("input"))))
