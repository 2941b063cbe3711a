"""Turn a recorded exchange into one line that can be pasted into a shell."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

from pytest_letta.http.redaction import PLACEHOLDER, Redactor

if TYPE_CHECKING:
    from pytest_letta.exchange import Exchange

#: What curl sends by itself, or what only describes the connection.
_IMPLIED = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "transfer-encoding",
        "user-agent",
    }
)
_JSON_SPACE = re.compile(r'("(?:[^"\\]|\\.)*")|\s+')
_FIELD_NAME = re.compile(rb'content-disposition: form-data; name="([^"\r\n]*)"', re.IGNORECASE)


def curl(exchange: Exchange, redactor: Redactor | None = None, *, body_limit: int = 2000) -> str:
    """Return a curl command of one line that sends the request of an exchange again.

    The token is written as `$LETTA_API_KEY`. A body is shown up to `body_limit` characters; what is left
    out, as are multipart bodies, is said in a comment at the end of the line.
    """
    redactor = redactor or Redactor()
    body, comment, is_file = _body(exchange, redactor, body_limit)
    words = [
        "curl -sSi",
        *_method(exchange, has_body=bool(body)),
        *_url_options(exchange),
        *_reading(exchange),
    ]
    words.append(quoted(redactor.url(exchange.url)))
    for name, value in _headers(exchange, redactor):
        header = f"{name}: {value}" if value else f"{name};"
        words.append(f"-H {quoted(header)}")
    if body and not any(name.lower() == "content-type" for name, _ in exchange.request_headers):
        words.append("-H content-type:")  # curl would call it a form
    if is_file:
        return f"{body} | {' '.join(words)} --data-binary @-{comment}"
    if body:
        option = "--data-raw" if body.startswith(("@", "'@", '"@')) else "--data-binary"
        words.append(f"{option} {body}")
    return " ".join(words) + comment


def quoted(text: str) -> str:
    """Quote a text for a POSIX shell so that the placeholder of the token, and nothing else, expands."""
    if PLACEHOLDER not in text:
        return shlex.quote(text)
    if not re.search(r'["\\`!]', text) and text.count("$") == text.count(PLACEHOLDER):
        return f'"{text}"'
    parts = [shlex.quote(part) if part else "" for part in text.split(PLACEHOLDER)]
    return f'"{PLACEHOLDER}"'.join(parts)


def _method(exchange: Exchange, *, has_body: bool) -> list[str]:
    if exchange.method == "HEAD":
        return ["--head"]
    return [] if exchange.method == "GET" and not has_body else [f"-X {shlex.quote(exchange.method)}"]


def _url_options(exchange: Exchange) -> list[str]:
    globs = ["-g"] if re.search(r"[][{}]", exchange.url) else []
    return [*globs, "--path-as-is"] if "/." in exchange.url else globs


def _reading(exchange: Exchange) -> list[str]:
    kind = next((value for name, value in exchange.response_headers if name.lower() == "content-type"), "")
    return ["-N"] if kind.startswith("text/event-stream") else []


def _headers(exchange: Exchange, redactor: Redactor) -> list[tuple[str, str]]:
    shown = []
    for name, value in redactor.headers(exchange.request_headers):
        key = name.lower()
        is_default = (key, value) == ("accept", "*/*")
        is_multipart = key == "content-type" and value.startswith("multipart/")
        if key not in _IMPLIED and not is_default and not is_multipart:
            shown.append((name, value))
    return shown


def _body(exchange: Exchange, redactor: Redactor, limit: int) -> tuple[str, str, bool]:
    """Give the body as shell text, the comment about what is missing, and whether the text prints the body."""
    is_cut = exchange.request_size > len(exchange.request_body)
    raw = redactor.data(exchange.request_body, is_cut=is_cut)
    if not raw:
        return "", "", False
    kind = next((value for name, value in exchange.request_headers if name.lower() == "content-type"), "")
    if kind.startswith("multipart/"):
        fields = ", ".join(name.decode(errors="replace") for name in _FIELD_NAME.findall(raw)) or "none"
        return "", f" # multipart body of {exchange.request_size:,} bytes not shown, fields: {fields}", False
    text = raw.decode(errors="surrogateescape")
    text = _minimal(text) if "json" in kind and not is_cut else text
    shown = _cut(text, limit)
    comment = ""
    if is_cut or shown != text:
        size = len(shown.encode(errors="surrogateescape"))
        comment = f" # body cut: {size:,} of {exchange.request_size:,} bytes shown"
    if shown.isprintable():
        return quoted(shown), comment, False
    return _printed(shown), comment, True


def _minimal(text: str) -> str:
    """Drop the space between the tokens of a JSON text, and change nothing else; other texts stay as they are."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return _JSON_SPACE.sub(lambda match: match[1] or "", text)


def _cut(text: str, limit: int) -> str:
    start = text.rfind(PLACEHOLDER, 0, limit + len(PLACEHOLDER))
    return text[: start if start < limit < start + len(PLACEHOLDER) else limit]


def _printed(text: str) -> str:
    """Write a body that a shell word cannot carry (line ends, NUL, no UTF-8) as a printf command."""
    parts = ["".join(map(_octal, part.encode(errors="surrogateescape"))) for part in text.split(PLACEHOLDER)]
    keys = f' "{PLACEHOLDER}"' * (len(parts) - 1)
    return f"printf {shlex.quote('%s'.join(parts))}{keys}"


def _octal(byte: int) -> str:
    if byte == ord("%"):
        return "%%"
    if byte == ord("\\"):
        return "\\\\"
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"
