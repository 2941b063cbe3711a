"""HTTP/1.1 on the wire, as far as a proxy needs it: heads, bodies, framing. No sockets are opened here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from pytest_letta.faults.fault import GoneError, Headers

# RFC 9110 section 7.6.1: these concern one connection and end at each proxy. Transfer-Encoding is one of them, but
# of an answer it is kept, because it tells how the answer was framed.
HOP_BY_HOP = frozenset({"connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"})


def end_to_end(headers: Iterable[tuple[str, str]]) -> Headers:
    """Take out what concerns one connection only, and whatever ``Connection`` names."""
    pairs = tuple(headers)
    named = {
        token.strip().lower() for key, value in pairs if key.lower() == "connection" for token in value.split(",")
    }
    return tuple(pair for pair in pairs if pair[0].lower() not in HOP_BY_HOP | named)


def without(headers: Headers, name: str) -> Headers:
    """Take out every field of that name (in lower case)."""
    return tuple(pair for pair in headers if pair[0].lower() != name)


def head(first_line: str, headers: Headers) -> bytes:
    """Write a head as bytes; what was read as Latin-1 goes out as the same bytes."""
    lines = [first_line, *(f"{key}: {value}" for key, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def has_no_body(method: str, status: int) -> bool:
    """Say whether an answer ends with its head, whatever the headers say (RFC 9112 section 6.3)."""
    return method == "HEAD" or status in (204, 304) or 100 <= status < 200


def framing(headers: Headers, http_version: str) -> tuple[Headers, str]:
    """Give the headers to send and how the body is framed: "length", "chunked" or "close"."""
    keys = {key.lower() for key, _ in headers}
    if "transfer-encoding" in keys:
        headers = without(headers, "content-length")
        if http_version != "HTTP/1.0":
            return headers, "chunked"
        return without(headers, "transfer-encoding"), "close"
    return headers, "length" if "content-length" in keys else "close"


def read_body(stream: BinaryIO, headers: Headers) -> tuple[bytes, Headers]:
    """Read a request's body whole; give it with the headers, in which a chunked body now states its length.

    Raises GoneError when the client leaves in the middle, ValueError when the framing is broken.
    """
    fields = {key.lower(): value for key, value in headers}
    if "transfer-encoding" in fields:
        body = _read_chunked(stream)
        rest = without(without(headers, "transfer-encoding"), "content-length")
        return body, (*rest, ("Content-Length", str(len(body))))
    return _exactly(stream, int(fields.get("content-length", "0"))), headers


def _read_chunked(stream: BinaryIO) -> bytes:
    parts: list[bytes] = []
    while size := int(_line(stream).partition(b";")[0], 16):
        parts.append(_exactly(stream, size))
        _line(stream)
    while _line(stream).strip():
        pass  # trailer fields, which nothing here needs
    return b"".join(parts)


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline(65537)
    if not line.endswith(b"\n"):
        raise GoneError("the client left in the middle of its request")
    return line


def _exactly(stream: BinaryIO, size: int) -> bytes:
    if size < 0:
        raise ValueError(f"a body cannot have {size} bytes")
    data = stream.read(size)
    if len(data) < size:
        raise GoneError(f"the client left after {len(data)} of the {size} bytes of its request")
    return data
