"""Ask a URL what it is, and say in one line why it cannot be tested as a Letta server."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx

from pytest_letta.errors import TargetError
from pytest_letta.exchange import Redactor

HEALTH: Final = "/v1/health/"
#: /openapi.json of Letta 0.16.8 has 0.9 MB.
_MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """The answer to one GET: `json` is the parsed body, None when it is no JSON; `location` is absolute."""

    path: str
    status: int
    text: str
    json: Any
    location: httpx.URL | None

    @property
    def detail(self) -> object:
        """FastAPI's error text, None when there is none."""
        return self.json.get("detail") if isinstance(self.json, dict) else None

    @property
    def is_html(self) -> bool:
        """Whether the body is a page for people."""
        return self.text.lstrip()[:200].lower().startswith(("<!doctype html", "<html", "<head", "<!--"))

    @property
    def shown(self) -> str:
        """The title of a page, the beginning of any other body, fit for a message of one line."""
        title = re.search(r"<title[^>]*>(.*?)</title>", self.text[:10_000], re.IGNORECASE | re.DOTALL)
        text = _one_line(title[1] if title else self.text[:200])
        return repr(text if len(text) <= 80 else f"{text[:77]}...") if text else "an empty body"


class Target:
    """A URL under examination. `given_by` is where it comes from, such as `--letta-url`."""

    def __init__(self, url: str, given_by: str, client: httpx.Client, timeout_s: float, redactor: Redactor) -> None:
        self.url = url
        self._given_by = given_by
        self._client = client
        self._timeout_s = timeout_s
        self._redactor = redactor

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Send a GET below the URL and read the answer, bounded; raise TargetError when there is none."""
        url = self.url + path
        try:
            with self._client.stream("GET", url, headers=headers) as response:
                return _answer(path, response)
        except httpx.TransportError as exc:
            raise self.refuse(self._why_no_answer(path, exc)) from exc
        except (httpx.DecodingError, httpx.InvalidURL) as exc:
            raise self.refuse(f"it answers GET {path} with bytes that cannot be read ({exc})") from exc

    def refuse(self, reason: str) -> TargetError:
        """Return the error that says why this URL cannot be tested."""
        text = f"{self.url} (from {self._given_by}) cannot be tested: {_one_line(reason)}."
        return TargetError(self._redactor.url(text))

    def check_redirect(self, answer: Answer) -> None:
        """Raise TargetError when the answer sends the client, and its password, to another origin."""
        location = answer.location
        if location is None or _origin(location) == _origin(httpx.URL(self.url)):
            return
        raise self.refuse(
            f"it redirects GET {answer.path} to another server, {location}, where a password must not follow; "
            f"give the URL that it redirects to{_without_health(location)}"
        )

    def check_health(self, answer: Answer) -> dict[str, Any]:
        """Return the body of Letta's health route; raise TargetError when it is anything else."""
        self.check_redirect(answer)
        body = answer.json
        if answer.status == 200 and isinstance(body, dict) and ("version" in body or body.get("status") == "ok"):
            return body
        raise self.refuse(self._why_no_health(answer))

    def _why_no_health(self, answer: Answer) -> str:
        what = f"GET {HEALTH} answers {answer.status}"
        if answer.location is not None:
            hint = _without_health(answer.location)
            return f"it redirects GET {HEALTH} to {answer.location}; give the URL of the Letta API{hint}"
        if answer.status == 401 and answer.detail == "Unauthorized":
            # A secured Letta server asks for the password before it looks whether it knows the path.
            return f"{what}, as Letta does for a path that it does not know; {self._hint()}"
        if answer.status in {401, 403, 407}:
            return (
                f"{what}, which Letta serves without a password: something in front of it asks for credentials of "
                "its own; give a URL behind that"
            )
        if answer.status >= 500:
            return (
                f"{what} ({answer.shown}): something answers there, but the Letta server behind it does not; start "
                "it and look at its log"
            )
        kind = "an HTML page, " if answer.is_html else ""
        return f"{what} with {kind}{answer.shown}: no Letta server; {self._hint()}"

    def _hint(self) -> str:
        if self.url.rstrip("/").endswith("/v1"):
            return "leave out /v1 at the end of the URL"
        return "give the base URL of the Letta API, with the path prefix if it has one and without /v1"

    def _why_no_answer(self, path: str, exc: httpx.TransportError) -> str:
        causes = list(_causes(exc))
        url = httpx.URL(self.url)
        for cause in causes:
            if isinstance(cause, socket.gaierror):
                return f"there is no host named {url.host!r} ({cause.strerror}); correct the URL"
            if isinstance(cause, ssl.SSLCertVerificationError):
                return (
                    f"its TLS certificate is not trusted ({cause.verify_message}); certificates are always verified: "
                    "set SSL_CERT_FILE to a PEM bundle that holds its CA"
                )
            if isinstance(cause, ssl.SSLError):
                reason = cause.reason or cause
                return f"TLS fails ({reason}); if the server speaks plain HTTP, write http:// in the URL"
            if isinstance(cause, ConnectionRefusedError):
                return "the connection is refused; start the server, or correct host and port"
        if isinstance(exc, httpx.ConnectTimeout):
            return f"no connection within {self._timeout_s:g} s; correct host and port, or open the firewall"
        if isinstance(exc, httpx.TimeoutException):
            return (
                f"it accepts connections but GET {path} is not answered within {self._timeout_s:g} s; look at the "
                "log of the server, or give more time with --letta-timeout"
            )
        if isinstance(exc, httpx.RemoteProtocolError | httpx.ReadError):
            tls = "; if it speaks TLS, write https:// in the URL" if url.scheme == "http" else ""
            return f"GET {path} gets no HTTP answer ({exc}){tls}"
        return f"GET {path} fails: {type(exc).__name__}: {exc}"


def _answer(path: str, response: httpx.Response) -> Answer:
    raw = bytearray()
    for chunk in response.iter_bytes():
        raw += chunk
        if len(raw) > _MOST_BYTES:
            break
    try:
        parsed = json.loads(raw)
    except (ValueError, RecursionError):
        parsed = None
    location = None
    if response.is_redirect and "location" in response.headers:
        location = response.request.url.join(response.headers["location"])
    return Answer(path, response.status_code, raw.decode(errors="replace"), parsed, location)


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """Walk the chain; httpcore hides the cause of some errors but leaves it as their context."""
    current: BaseException | None = exc
    for _ in range(10):
        if current is None:
            return
        yield current
        current = current.__cause__ or current.__context__


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _without_health(location: httpx.URL) -> str:
    base = str(location).partition("?")[0].rstrip("/").removesuffix(HEALTH.rstrip("/"))
    return "" if base == str(location).partition("?")[0].rstrip("/") else f", {base}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
