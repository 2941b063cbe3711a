"""One recorded request and its answer."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Final

from pytest_letta.http.curl import curl
from pytest_letta.http.redaction import PLACEHOLDER, REDACTED, Headers, Redactor

__all__ = ["BODY_LIMIT", "PLACEHOLDER", "REDACTED", "Exchange", "Headers", "Note", "Redactor", "curl"]

#: As many bytes of each body are kept.
BODY_LIMIT: Final = 64 * 1024


@dataclass(frozen=True, slots=True, repr=False)
class Exchange:
    """What was sent and what came back.

    `request_body` and `body` hold at most BODY_LIMIT bytes, as they went over the wire; `request_size` and
    `body_size` are the whole sizes. `status` is None when no answer came, `answered_s` is the time in
    seconds until the head of the answer was there (None: never), `elapsed_s` until its last byte or until
    the client gave up. `error` is the error that ended it, None without one. `is_complete`: the last byte
    of the answer was read. `diagnosis` names a known cause of what was seen. `number` counts the requests
    of a recorder by their start.
    """

    method: str
    url: str
    request_headers: Headers = ()
    request_body: bytes = b""
    status: int | None = None
    response_headers: Headers = ()
    body: bytes = b""
    elapsed_s: float = 0.0
    error: str | None = None
    request_size: int = 0
    body_size: int = 0
    answered_s: float | None = None
    is_complete: bool = False
    diagnosis: str | None = None
    number: int = 0

    def __post_init__(self) -> None:
        if self.request_size < len(self.request_body):
            object.__setattr__(self, "request_size", len(self.request_body))
        if self.body_size < len(self.body):
            object.__setattr__(self, "body_size", len(self.body))

    def __repr__(self) -> str:
        outcome = self.error or self.status
        return f"<Exchange {self.number}: {self.method} {self.url} -> {outcome} in {self.elapsed_s:.3f} s>"

    @property
    def text(self) -> str:
        """The kept part of the answer as text, unpacked."""
        return self._unpacked().decode(errors="replace")

    def header(self, name: str) -> str | None:
        """Return the first value of a header of the answer, None when there is none; case does not matter."""
        return next((value for key, value in self.response_headers if key.lower() == name.lower()), None)

    def redacted(self, redactor: Redactor) -> Exchange:
        """Return a copy that can be shown: no credentials, and the body of the answer unpacked."""
        sent = redactor.data(self.request_body, is_cut=self.request_size > len(self.request_body))
        is_packed = self.header("content-encoding") is not None
        body = redactor.data(self._unpacked(), is_cut=is_packed or self.body_size > len(self.body))
        headers = [pair for pair in self.response_headers if pair[0].lower() != "content-encoding"]
        return replace(
            self,
            url=redactor.url(self.url),
            request_headers=redactor.headers(self.request_headers),
            request_body=sent,
            request_size=_size(self.request_size, self.request_body, sent),
            response_headers=redactor.headers(headers),
            body=body,
            body_size=_size(self.body_size, self.body, body),
            error=None if self.error is None else redactor.redact(self.error),
        )

    def _unpacked(self) -> bytes:
        encoding = (self.header("content-encoding") or "").strip().lower()
        if encoding not in {"gzip", "deflate"}:
            return self.body
        for bits in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):  # with the header of gzip or zlib, and bare
            try:
                return zlib.decompressobj(bits).decompress(self.body, BODY_LIMIT)
            except zlib.error:
                continue
        return self.body


@dataclass(frozen=True, slots=True)
class Note:
    """A command that was carried out between two requests, as a person would; `number` counts with theirs."""

    text: str
    number: int


def _size(size: int, kept: bytes, shown: bytes) -> int:
    """Carry over to the shown body whether the kept one is the whole of it."""
    return max(size, len(shown) + 1) if size > len(kept) else len(shown)
