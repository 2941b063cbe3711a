"""Sends requests to operations on what is ours, and judges the answer to each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pytest_letta.conformance.findings import Finding, Judgement
from pytest_letta.conformance.fuzz.answers import problem
from pytest_letta.conformance.fuzz.generated import Generator
from pytest_letta.conformance.fuzz.samples import Samples
from pytest_letta.conformance.fuzz.scope import AREAS, Target, targets

if TYPE_CHECKING:
    from .estate import Estate

__all__ = ["AREAS", "Finding", "Generator", "Judgement", "Samples", "Sender", "Sent", "targets"]


@dataclass(frozen=True)
class Sent:
    """One request and what came of it.

    `problem` is what is wrong with the answer, or ``None``; `curl` repeats such a request. `content`: the body sent.
    """

    status: int
    text: str
    problem: str | None
    curl: str
    content: bytes | None


@dataclass(frozen=True)
class Sender:
    """Sends requests as the owner of an estate; `story` gives each as a line that repeats it."""

    estate: Estate
    samples: Samples
    story: Judgement

    def plain(self, target: Target) -> Sent:
        """Send the least that the operation documents."""
        return self.with_fields(target)

    def again(self, target: Target, sent: Sent) -> Sent:
        """Send the same body once more."""
        return self.with_fields(target, content=sent.content)

    def newest(self) -> str:
        """Return the newest request as a line that repeats it."""
        return self.story.curl(self.story.newest())

    def with_fields(
        self,
        target: Target,
        *,
        query: Mapping[str, Any] | None = None,
        path: Mapping[str, str] | None = None,
        content: bytes | None = None,
        kind: str = "application/json",
    ) -> Sent:
        """Send a request that is well formed but for the parameters, the part of the path or the body given."""
        if content is None and target.body is not None:
            content = json.dumps(self.samples.fields(target.body)).encode()
        required = {
            one["name"]: self.samples.of(one.get("schema", {}), one["name"])
            for one in target.parameters
            if one["in"] == "query" and one.get("required")
        }
        values = {**required, **(query or {})}
        text = "&".join(f"{name}={quote(_as_query(one), safe='')}" for name, one in values.items())
        return self.send(target, text, content, kind, path)

    def send(
        self,
        target: Target,
        query: str,
        content: bytes | None,
        kind: str,
        path: Mapping[str, str] | None = None,
    ) -> Sent:
        """Send a request to an operation, on what is ours or what does not exist, and judge the answer."""
        import httpx

        method, template = target.operation.method, target.operation.path
        asked, used = self.estate.filled(target, path or {})
        rows = self.estate.rows(template) if method == "POST" else None
        headers = {} if content is None else {"Content-Type": kind}
        url = f"{asked}?{query}" if query else asked
        try:
            answer = self.estate.request(method, url, content=content, headers=headers)
        except httpx.TransportError as error:
            seen = f"no answer ({type(error).__name__})"
            return Sent(599, "", seen, self.newest(), content)
        number, wrong = self.story.newest(), problem(answer.status_code, answer.text)
        if answer.is_error:
            if rows is not None and self.estate.counted(template) not in {rows, None}:
                wrong = f"{wrong or answer.status_code}, and stored"
            if method != "GET" and answer.status_code >= 500:
                self.estate.broken()
        elif method != "GET":
            # What is put below a resource does not change it, but for messages: those go into its prompt.
            is_below = method == "POST" and not template.endswith("/messages")
            self.estate.changed([] if is_below else used)
        return Sent(answer.status_code, answer.text, wrong, self.story.curl(number) if wrong else "", content)


def _as_query(value: Any) -> str | bytes:
    if isinstance(value, bytes):
        return value
    return json.dumps(value) if isinstance(value, bool | dict | list) else str(value)
