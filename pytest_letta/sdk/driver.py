"""Drives letta-client in a process of its own, told by JSON lines; this file imports nothing of this package.

The first line holds the arguments of Driver. Each further one is a task, and gets one line
in return: what the client gave, or the error that it raised, and the requests that it sent.
"""

from __future__ import annotations

import base64
import importlib
import itertools
import json
import ssl
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx

#: As many bytes of each body are told.
_BODY_LIMIT = 64 * 1024


class RecordingTransport(httpx.BaseTransport):
    """Sends requests, and keeps what was sent and what came back."""

    def __init__(self, ca_file: str | None = None) -> None:
        self._inner = httpx.HTTPTransport(verify=ssl.create_default_context(cafile=ca_file) if ca_file else True)
        self.exchanges: list[dict[str, Any]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; its answer is kept as it is read."""
        one: dict[str, Any] = {
            "method": request.method,
            "url": str(request.url),
            "request_headers": request.headers.multi_items(),
            "request_body": _text(request.read()),
        }
        self.exchanges.append(one)
        started = time.monotonic()
        try:
            answer = self._inner.handle_request(request)
        except httpx.TransportError as error:
            one["error"] = f"{type(error).__name__}: {error}"
            raise
        one.update(
            status=answer.status_code,
            response_headers=answer.headers.multi_items(),
            elapsed_s=time.monotonic() - started,
        )
        stream = _Kept(answer.stream, one)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=stream, extensions=answer.extensions)

    def taken(self) -> list[dict[str, Any]]:
        """Give the exchanges since the last call."""
        taken, self.exchanges = self.exchanges, []
        return taken


class _Kept(httpx.SyncByteStream):
    def __init__(self, stream: Any, one: dict[str, Any]) -> None:
        self._stream, self._one, self._body = stream, one, b""

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            self._body += chunk[: _BODY_LIMIT - len(self._body)]
            yield chunk
        self._one["is_complete"] = True

    def close(self) -> None:
        self._one["body"] = _text(self._body)
        self._stream.close()


def _text(data: bytes) -> str:
    return base64.b64encode(data[:_BODY_LIMIT]).decode()


class Driver:
    """One client, and the tasks that it can be given."""

    def __init__(
        self,
        base_url: str,
        token: str | None,
        timeout_s: float,
        *,
        ca_file: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self._module: Any = importlib.import_module("letta_client")
        self._transport = RecordingTransport(ca_file)
        self._client = self._module.Letta(
            base_url=base_url,
            api_key=token or "none",
            timeout=timeout_s,
            max_retries=0,
            default_headers=headers,
            http_client=httpx.Client(transport=self._transport, follow_redirects=True, trust_env=False),
        )

    def carry_out(self, task: dict[str, Any]) -> dict[str, Any]:
        """Return ``{"value"}`` or ``{"error"}``, and ``exchanges``."""
        try:
            told = {"value": getattr(self, f"do_{task['do']}")(**task.get("with", {}))}
        except Exception as error:
            kinds = [kind.__name__ for kind in type(error).__mro__]
            status = getattr(error, "status_code", None)
            told = {"error": {"kinds": kinds, "status": status, "text": str(error)}}
        return {**told, "exchanges": self._transport.taken()}

    def do_version(self) -> str:
        """Tell the version of the client."""
        return str(self._module.__version__)

    def do_call(self, name: str, args: dict[str, Any]) -> Any:
        """Call a method of the client, such as ``agents.create``, and give what it returned, as JSON."""
        return _plain(self._method(name)(**args))

    def do_items(self, name: str, args: dict[str, Any], at_most: int) -> list[Any]:
        """Give what comes of going through what a method returned, a page or a stream, `at_most` so many."""
        found: Iterable[Any] = self._method(name)(**args)
        return [_plain(one) for one in itertools.islice(found, at_most)]

    def do_refused_password(self) -> Any:
        """Ask for an agent with a password that no server has."""
        return _plain(self._client.with_options(api_key="not-the-password").agents.list(limit=1).items)

    def _method(self, name: str) -> Callable[..., Any]:
        found: Any = self._client
        for part in name.split("."):
            found = getattr(found, part)
        return found  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def main() -> None:
    """Carry out the tasks of the standard input until it ends."""
    lines = iter(sys.stdin.readline, "")
    driver = Driver(**json.loads(next(lines)))
    for line in lines:
        print(json.dumps(driver.carry_out(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
