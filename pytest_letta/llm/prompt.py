"""Read a chat request's prompt: its texts, its script marker, its step."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

KEY_PATTERN = r"[A-Za-z0-9._-]{1,64}"
MARKER = re.compile(rf"\[\[script:({KEY_PATTERN})\]\]")

Message = Mapping[str, Any]


def marker(key: str) -> str:
    """Return the text that, anywhere in a user message, selects the script of that key."""
    return f"[[script:{key}]]"


def texts(content: object) -> Iterator[str]:
    """Yield every text of a message's content, which is a string, a list of parts or null."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            if isinstance(part, str):
                yield part
            elif isinstance(part, dict) and isinstance(part.get("text"), str):
                yield part["text"]


def find_script(messages: Sequence[Message]) -> tuple[str | None, int]:
    """Find the script's key and the step in it: (None, 0) where no user message holds a marker.

    The last marker counts. The step is the number of assistant messages after it: it comes from the
    prompt alone, so a request that is sent again gets the same reply.
    """
    for index in range(len(messages) - 1, -1, -1):
        if messages[index].get("role") == "user" and (key := find_key(messages[index].get("content"))):
            later = messages[index + 1 :]
            return key, sum(message.get("role") == "assistant" for message in later)
    return None, 0


def find_key(content: object) -> str | None:
    """Return the key of the last marker in a content, or None."""
    keys = [key for text in texts(content) for key in MARKER.findall(text)]
    return keys[-1] if keys else None


def last_user_text(messages: Sequence[Message]) -> str:
    """Return what the user said last, the empty string where nobody did.

    Letta's memgpt agents wrap it in JSON with the time of day (`letta/system.py`, package_user_message);
    the wrapping is taken off, because an echo of the time would differ from run to run.
    """
    for message in reversed(messages):
        if message.get("role") == "user":
            return _unwrap("".join(texts(message.get("content"))))
    return ""


def system_text(messages: Sequence[Message]) -> str | None:
    """Return the system prompt, or None where the request has none."""
    for message in messages:
        if message.get("role") in ("system", "developer"):
            return "".join(texts(message.get("content")))
    return None


def _unwrap(text: str) -> str:
    try:
        packed = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(packed, dict) and isinstance(packed.get("message"), str):
        return str(packed["message"])
    return text
