"""Replies of the scripted model: what it says, calls or breaks, and at which pace."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, cast

from pytest_letta.errors import ModelError

Kind = Literal["say", "call_tool", "fail", "malformed", "silent", "cut"]

FIELDS: Mapping[str, tuple[str, ...]] = {
    "say": ("text", "tokens"),
    "call_tool": ("name", "arguments", "text", "tokens"),
    "fail": ("status", "message", "code"),
    "malformed": (),
    "silent": (),
    "cut": ("text", "tokens", "after_tokens", "is_clean"),
}
"""What each kind of reply may carry in JSON, beside ``kind``, ``pace_s`` and ``hold_s``."""


def split(text: str) -> tuple[str, ...]:
    """Cut text into tokens, each a word with the whitespace before it; joined they are the text again."""
    return tuple(re.findall(r"\s*\S+|\s+", text))


@dataclass(frozen=True)
class Reply:
    """One answer of the model; make it with `say`, `call_tool`, `fail`, `malformed`, `silent` or `cut`.

    ``hold_s`` is the silence before the first content, ``pace_s`` the time before each token, both in
    seconds. An answer that is not streamed takes as long as the streamed one.
    Raises ModelError for a field of a wrong type or out of its range.
    """

    kind: Kind
    tokens: tuple[str, ...] = ()
    name: str | None = None
    arguments: str | None = None
    status: int | None = None
    message: str | None = None
    code: str | None = None
    after_tokens: int | None = None
    is_clean: bool = False
    pace_s: float = 0.0
    hold_s: float = 0.0

    def __post_init__(self) -> None:
        _check_seconds("pace_s", self.pace_s)
        _check_seconds("hold_s", self.hold_s)
        if not all(isinstance(token, str) for token in self.tokens):
            raise ModelError(f"tokens must be strings, got {self.tokens!r}.")
        if self.kind == "call_tool" and not (isinstance(self.name, str) and self.name):
            raise ModelError(f"call_tool needs the name of a tool, got {self.name!r}.")
        if self.kind == "fail":
            _check_failure(self)
        if self.kind == "cut":
            _check_whole("after_tokens", self.after_tokens, 0, len(self.tokens))
        if not isinstance(self.is_clean, bool):
            raise ModelError(f"is_clean must be true or false, got {self.is_clean!r}.")

    @property
    def text(self) -> str:
        """Everything that the reply says in words."""
        return "".join(self.tokens)

    @property
    def fragments(self) -> tuple[str, ...]:
        """The pieces in which the arguments of a tool call are streamed; each is paced like a token."""
        return split(self.arguments or "")

    @property
    def spoken(self) -> int:
        """How many tokens the reply speaks before it ends, in words and in arguments."""
        if self.after_tokens is not None:
            return self.after_tokens
        return len(self.tokens) + len(self.fragments)

    def due_s(self, count: int) -> float:
        """Tell when ``count`` tokens are to be out, in seconds since the request was read.

        The schedule is absolute: a late token does not delay the ones that follow.
        """
        return self.hold_s + count * self.pace_s

    def to_json(self) -> dict[str, Any]:
        """Return the reply as a JSON object, without the fields that have their default."""
        shown: dict[str, Any] = {"kind": self.kind}
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            if value != field.default:
                shown[field.name] = list(value) if field.name == "tokens" else value
        return shown

    @classmethod
    def from_json(cls, value: object) -> Reply:
        """Read what `to_json` wrote, or the same by hand with ``text`` in place of ``tokens``.

        Raises ModelError that names the field for anything else.
        """
        if not isinstance(value, dict):
            raise ModelError(f"a reply must be a JSON object with 'kind', got {value!r}.")
        kind = value.get("kind")
        if not isinstance(kind, str) or kind not in FIELDS:
            raise ModelError(f"a reply's kind must be one of {', '.join(FIELDS)}, got {kind!r}.")
        allowed = (*FIELDS[kind], "pace_s", "hold_s")
        for field in value:
            if field != "kind" and field not in allowed:
                raise ModelError(_unknown_field(kind, str(field), allowed))
        given = {field: item for field, item in value.items() if field not in ("kind", "text", "tokens")}
        if "tokens" in FIELDS[kind]:
            given["tokens"] = _tokens(value.get("text"), value.get("tokens"))
        if kind == "call_tool":
            given["arguments"] = _arguments(value.get("arguments"))
        return cls(cast("Kind", kind), **given)


def say(text: str, *, tokens: Sequence[str] | None = None, pace_s: float = 0.0, hold_s: float = 0.0) -> Reply:
    """Answer with text. ``tokens`` are the exact chunks of a stream; None splits the text at its words."""
    return Reply("say", tokens=_tokens(text, tokens), pace_s=pace_s, hold_s=hold_s)


def call_tool(
    name: str,
    arguments: Mapping[str, Any] | str,
    *,
    text: str = "",
    pace_s: float = 0.0,
    hold_s: float = 0.0,
) -> Reply:
    """Call one tool, after saying ``text``. Arguments given as str are sent as they are, broken or not."""
    packed = _arguments(arguments)
    return Reply("call_tool", tokens=_tokens(text, None), name=name, arguments=packed, pace_s=pace_s, hold_s=hold_s)


def fail(
    status: int = 500,
    message: str = "The scripted model was told to fail.",
    *,
    code: str | None = None,
    pace_s: float = 0.0,
    hold_s: float = 0.0,
) -> Reply:
    """Refuse with an HTTP status (400 to 599) and OpenAI's error object. ``code`` None: the usual one.

    A script that begins with it fails the embedding of every text that carries its marker, too.
    """
    return Reply("fail", status=status, message=message, code=code, pace_s=pace_s, hold_s=hold_s)


def malformed(*, pace_s: float = 0.0, hold_s: float = 0.0) -> Reply:
    """Answer 200 with JSON that breaks off; in a stream with one chunk that does, and no ``[DONE]``."""
    return Reply("malformed", pace_s=pace_s, hold_s=hold_s)


def silent(*, pace_s: float = 0.0, hold_s: float = 0.0) -> Reply:
    """Take the request and never answer, not even with headers, until the client or the server closes."""
    return Reply("silent", pace_s=pace_s, hold_s=hold_s)


def cut(
    text: str,
    *,
    after_tokens: int,
    is_clean: bool = False,
    tokens: Sequence[str] | None = None,
    pace_s: float = 0.0,
    hold_s: float = 0.0,
) -> Reply:
    """Close the connection after so many tokens, without a finish reason and inside the body.

    ``is_clean`` ends the body of a stream properly there, as a gateway does whose own upstream broke.
    An answer that is not streamed breaks off in the middle of its JSON.
    """
    parts = _tokens(text, tokens)
    return Reply("cut", parts, after_tokens=after_tokens, is_clean=is_clean, pace_s=pace_s, hold_s=hold_s)


def _tokens(text: object, tokens: object) -> tuple[str, ...]:
    if text is not None and not isinstance(text, str):
        raise ModelError(f"text must be a string, got {text!r}.")
    if tokens is None:
        return split(text or "")
    if isinstance(tokens, str) or not isinstance(tokens, Sequence):
        raise ModelError(f"tokens must be a list of strings, got {tokens!r}.")
    parts = tuple(tokens)
    if text is not None and all(isinstance(part, str) for part in parts) and "".join(parts) != text:
        raise ModelError(f"tokens must give the text when joined: {''.join(parts)!r} is not {text!r}.")
    return parts


def _arguments(arguments: object) -> str:
    if isinstance(arguments, str):
        return arguments
    if not isinstance(arguments, Mapping):
        raise ModelError(f"arguments must be a JSON object or a string, got {arguments!r}.")
    try:
        return json.dumps(dict(arguments), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ModelError(f"arguments cannot be written as JSON ({error}): {arguments!r}.") from error


def _check_failure(reply: Reply) -> None:
    _check_whole("status", reply.status, 400, 599)
    if not isinstance(reply.message, str):
        raise ModelError(f"message must be a string, got {reply.message!r}.")
    if reply.code is not None and not isinstance(reply.code, str):
        raise ModelError(f"code must be a string or absent, got {reply.code!r}.")


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ModelError(f"{name} must be a whole number from {low} to {high}, got {value!r}.")


def _check_seconds(name: str, value: object) -> None:
    # bool is an int in Python, and NaN compares false with everything: both would pass a plain `< 0`.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ModelError(f"{name} must be a number of seconds, zero or more, got {value!r}.")


def _unknown_field(kind: str, field: str, allowed: Sequence[str]) -> str:
    near = difflib.get_close_matches(field, allowed, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"a reply of kind {kind!r} has no field {field!r}; it may have {', '.join(allowed)}.{hint}"
