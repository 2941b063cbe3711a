"""The client of a running scripted model: set scripts, read what reached it. Works from any process."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from pytest_letta.errors import ModelError
from pytest_letta.llm.prompt import marker, system_text
from pytest_letta.llm.reply import Reply
from pytest_letta.llm.script import RecordedRequest, check_key

CHAT_PATH = "/v1/chat/completions"
_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Script:
    """A script that the model holds; ``key`` selects it."""

    key: str

    def prompt(self, text: str = "Hello.") -> str:
        """Return the text of a user message that the script will answer."""
        return f"{text} {marker(self.key)}"


class ModelControl:
    """Control the scripted model at a URL, with or without ``/v1`` at its end.

    It holds no connection: it can be pickled, forked and used by several threads and processes at once.
    Every method raises ModelError where the model does not answer or refuses.
    """

    handle = "gpt-4o-mini"

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")

    @property
    def base_url(self) -> str:
        """What an OpenAI client, or Letta's OPENAI_API_BASE, is to be set to."""
        return f"{self.url}/v1"

    def script(self, *replies: Reply, key: str | None = None) -> Script:
        """Give the model a script of one reply for each step of a turn; ``key`` None makes a unique one."""
        script = Script(uuid.uuid4().hex[:12] if key is None else check_key(key))
        self._call("PUT", f"scripts/{script.key}", body={"replies": [reply.to_json() for reply in replies]})
        return script

    def requests(
        self, script: Script | str | None = None, path: str | None = CHAT_PATH, *, since: int = 0
    ) -> list[RecordedRequest]:
        """Return the requests that reached the model, oldest first.

        ``script`` None means of any script or none, ``path`` None any path; ``since`` gives only those with
        a higher number. The model keeps its newest 5,000.
        """
        query = {"key": _key(script), "path": path, "since": str(since)}
        found = self._call("GET", "requests", query)["requests"]
        return [RecordedRequest.from_json(value) for value in found]

    def last_system_prompt(self, script: Script | str) -> str:
        """Return the system prompt of the newest request of a script: what Letta compiled."""
        requests = self.requests(script)
        if not requests:
            raise ModelError(f"no chat request of script {_key(script)!r} has reached the model.")
        prompt = system_text(requests[-1].body["messages"])
        if prompt is None:
            raise ModelError(f"request {requests[-1].number} of script {_key(script)!r} has no system prompt.")
        return prompt

    def forget(self, script: Script | str) -> None:
        """Drop a script and its requests; one that is gone already is no error."""
        key = check_key(_key(script) or "")
        self._call("DELETE", f"scripts/{key}")
        self._call("DELETE", "requests", {"key": key})

    def _call(
        self, method: str, path: str, query: Mapping[str, str | None] | None = None, body: Any = None
    ) -> dict[str, Any]:
        url = f"{self.url}/_control/{path}"
        params = {name: value for name, value in (query or {}).items() if value is not None}
        content = None if body is None else json.dumps(body)
        try:
            # Plain http needs no certificates, and to load them takes longer than the call. No proxy from
            # the environment: the model is near.
            verify = url.startswith("https:")
            with httpx.Client(verify=verify, trust_env=False, timeout=_TIMEOUT_S) as client:
                response = client.request(method, url, params=params, content=content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            start = "start one with `python -m pytest_letta.llm`"
            raise ModelError(f"no scripted model answers at {self.url} ({error}); {start}.") from error
        return _read(response)


def _read(response: httpx.Response) -> dict[str, Any]:
    try:
        value = response.json()
    except ValueError:
        value = None
    if not isinstance(value, dict):
        shown = response.text[:200]
        raise ModelError(f"{response.url} is no scripted model: {response.status_code} {shown!r}.")
    if response.is_error:
        refusal = value.get("error")
        raise ModelError(str(refusal.get("message") if isinstance(refusal, dict) else value))
    return value


def _key(script: Script | str | None) -> str | None:
    return script.key if isinstance(script, Script) else script
