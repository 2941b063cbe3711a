"""The official client as contracts see it: calls by name, to whatever version runs in the process behind it."""

from __future__ import annotations

import base64
import json
import queue
import subprocess
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_letta.errors import SdkError
from pytest_letta.exchange import Exchange, Headers

if TYPE_CHECKING:
    from pytest_letta.client import Recorder

#: What the client sends where the server wants no password.
_NO_TOKEN = "Bearer none"

_DRIVER = Path(__file__).with_name("driver.py")
_SURFACE = Path(__file__).with_name("surface.py")
_START_LIMIT_S = 60.0
#: What a task may take beyond the time-out of its requests.
_GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the client raised: the names of the class and of those it derives from, and the status of the answer."""

    kinds: tuple[str, ...]
    status: int | None
    text: str

    def __str__(self) -> str:
        return f"{self.kinds[0]}: {self.text}"


class Sdk:
    """One version of letta-client, set up for one server; its requests are recorded with those of the others.

    `command` runs a Python that has it; `setup` holds ``base_url``, ``token`` and ``timeout_s``, and ``ca_file`` and
    ``headers`` where needed.
    """

    def __init__(self, command: Sequence[str], setup: Mapping[str, Any], recorder: Recorder) -> None:
        self._timeout_s = float(setup["timeout_s"])
        self._recorder = recorder
        self._command = command
        self._process = subprocess.Popen(
            [*command, str(_DRIVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._write(dict(setup))
        self.version = str(self._value(self._ask("version", _START_LIMIT_S)))

    @property
    def is_over(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    def call(self, name: str, /, **args: Any) -> Any:
        """Call a method of the client, such as ``agents.create``, and return what it gave, as JSON.

        Raises SdkError when the client raises anything.
        """
        return self._value(self._ask("call", name=name, args=args))

    def items(self, name: str, /, *, at_most: int, **args: Any) -> list[Any]:
        """Go through the pages or the stream that a method of the client gave; stop after `at_most` items."""
        return self._value(self._ask("items", name=name, args=args, at_most=at_most))  # type: ignore[no-any-return]

    def refusal(self, name: str, /, **args: Any) -> Refusal | None:
        """Return what the client raised when this method was called, None when it raised nothing."""
        return self._refusal(self._ask("call", name=name, args=args))

    def refusal_of_password(self) -> Refusal | None:
        """Return what the client raised when it asked with a password that is not the server's."""
        return self._refusal(self._ask("refused_password"))

    def surface(self) -> dict[str, str]:
        """Return every operation that the client can call, ids as `x`, with the method that does."""
        command = [*self._command, str(_SURFACE)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_START_LIMIT_S, check=False)
        if done.returncode:
            raise SdkError(f"the methods of letta-client {self.version} could not be told: {done.stderr[-500:]}")
        return dict(json.loads(done.stdout)["operations"])

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdout.close()
        with suppress(OSError):  # of what was written and not read any more
            self._process.stdin.close()

    def _ask(self, task: str, limit_s: float | None = None, /, **with_: Any) -> dict[str, Any]:
        self._write({"do": task, "with": with_})
        limit_s = limit_s or self._timeout_s + _GRACE_S
        try:
            line = self._lines.get(timeout=limit_s)
        except queue.Empty:
            self._process.kill()
            self._process.wait()
            raise SdkError(f"the client did not come back from {with_.get('name', task)} in {limit_s:g} s") from None
        if not line:
            self._lines.put("")  # for the next one, too
            raise SdkError(f"the process of the client ended, with {self._process.wait()}")
        told: dict[str, Any] = json.loads(line)
        for one in told["exchanges"]:
            self._recorder.add(_exchange(one, self._recorder.begin()))
        return told

    def _value(self, told: dict[str, Any]) -> Any:
        if refusal := self._refusal(told):
            raise SdkError(f"the client raised {refusal}")
        return told["value"]

    def _refusal(self, told: dict[str, Any]) -> Refusal | None:
        error = told.get("error")
        return error and Refusal(tuple(error["kinds"]), error["status"], error["text"])

    def _write(self, line: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(line) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise SdkError(f"the process of the client is gone: {error}") from error

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")


def _exchange(one: Mapping[str, Any], number: int) -> Exchange:
    return Exchange(
        method=one["method"],
        url=one["url"],
        request_headers=_headers(one["request_headers"]),
        request_body=base64.b64decode(one["request_body"]),
        status=one.get("status"),
        response_headers=_headers(one.get("response_headers", ())),
        body=base64.b64decode(one.get("body", "")),
        elapsed_s=one.get("elapsed_s", 0.0),
        error=one.get("error"),
        is_complete=one.get("is_complete", False),
        number=number,
    )


def _headers(pairs: Iterable[tuple[str, str]]) -> Headers:
    return tuple((name, value) for name, value in pairs if _matters(name, value))


def _matters(name: str, value: str) -> bool:
    """Tell whether a header is worth repeating: what the client says of its machine is not."""
    said = name.lower().startswith("x-stainless-") and name.lower() != "x-stainless-package-version"
    return not said and (name.lower(), value) not in {("accept", "application/json"), ("authorization", _NO_TOKEN)}
