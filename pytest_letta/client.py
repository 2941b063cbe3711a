"""Open httpx clients: the one place for credentials, time-outs and recording."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict, Unpack

import httpx

from pytest_letta.http.flight import STALL, Rules
from pytest_letta.http.recorder import Recorder
from pytest_letta.http.transport import AsyncRecordingTransport, RecordingTransport

__all__ = ["DEFAULT_TIMEOUT_S", "STALL", "ClientOptions", "Recorder", "open_async_client", "open_client"]

DEFAULT_TIMEOUT_S = 30.0

#: Accept only what the recorder can unpack. The name must not look like an SDK's: Letta treats those differently.
_HEADERS = {"User-Agent": "pytest-letta", "Accept-Encoding": "gzip, deflate"}


class ClientOptions(TypedDict, total=False):
    """What is seldom needed to open a client.

    `also_trusted`: URLs whose origins get the token too. `ca_file`: a PEM bundle to trust in place of the default
    one. `headers`: sent with each request. `read_only`: raise ReadOnlyError in place of sending a request whose
    method is not safe. `clock`: monotonic, in seconds.
    """

    also_trusted: Sequence[str]
    ca_file: str | None
    headers: Mapping[str, str]
    read_only: bool
    clock: Callable[[], float]


def open_client(
    base_url: str,
    token: str | None = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    recorder: Recorder | None = None,
    **options: Unpack[ClientOptions],
) -> httpx.Client:
    """Open a client for one deployment.

    `token` goes as `Authorization: Bearer` to the origin (scheme, host, port) of `base_url`, and to no other,
    redirects included; None sends none. A request with an `Authorization` or `X-BARE-PASSWORD` of its own is left
    as it is; an empty `Authorization` asks for a request without credentials.

    A request is over within `timeout_s` seconds, from connecting to the last byte, or raises one of httpx's
    time-out errors; `timeout=` of a request replaces it (the longest of its parts counts), and
    `read_stream(deadline_s=...)` does so for a stream. Looking up a name is the one thing that is not interrupted.

    Each exchange goes to `recorder`, of which None makes a new one. Redirects are not followed unless a request
    says so. After an answer of 500 or more the connection is not used again. Proxies of the environment are not
    used: what stands between us and the deployment is under test. Certificates are always verified.
    """
    rules, ssl_context = _prepare(base_url, token, timeout_s, recorder, options)
    return httpx.Client(
        transport=RecordingTransport(rules, ssl_context),
        base_url=base_url,
        timeout=timeout_s,
        headers={**_HEADERS, **options.get("headers", {})},
        trust_env=False,
    )


def open_async_client(
    base_url: str,
    token: str | None = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    recorder: Recorder | None = None,
    **options: Unpack[ClientOptions],
) -> httpx.AsyncClient:
    """Open an asynchronous client for one deployment; all else is as in `open_client`."""
    rules, ssl_context = _prepare(base_url, token, timeout_s, recorder, options)
    return httpx.AsyncClient(
        transport=AsyncRecordingTransport(rules, ssl_context),
        base_url=base_url,
        timeout=timeout_s,
        headers={**_HEADERS, **options.get("headers", {})},
        trust_env=False,
    )


def _prepare(
    base_url: str, token: str | None, timeout_s: float, recorder: Recorder | None, options: ClientOptions
) -> tuple[Rules, ssl.SSLContext | None]:
    recorder = recorder or Recorder()
    recorder.hide(token)
    origins = [httpx.URL(url) for url in (base_url, *options.get("also_trusted", ()))]
    rules = Rules(
        origins,
        token,
        timeout_s,
        recorder,
        read_only=options.get("read_only", False),
        clock=options.get("clock", time.monotonic),
    )
    return rules, _ssl_context(origins, options.get("ca_file"))


def _ssl_context(origins: Sequence[httpx.URL], ca_file: str | None) -> ssl.SSLContext | None:
    if ca_file is not None:
        return ssl.create_default_context(cafile=ca_file)
    # None makes httpcore load its default bundle when the first https connection is opened, which takes 20 ms.
    return httpx.create_ssl_context() if any(url.scheme == "https" for url in origins) else None
