"""Compares what comes through a proxy with what the server answers directly, field by field."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pytest_letta.conformance.nginx_cures import cure
from pytest_letta.telling import printable, shorten

if TYPE_CHECKING:
    import httpx

#: Headers that clients act upon; Date, Server, lengths and the like are each hop's own.
HEADERS: Final = (
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "allow",
    "cache-control",
    "content-disposition",
    "content-type",
    "location",
    "retry-after",
    "www-authenticate",
)
_ROUNDS = 3
_NOTHING = "nothing"
View = Mapping[str, object]


@dataclass(frozen=True)
class Question:
    """One request, to be sent on both ways.

    `target` is path and query as they are to stand in the request line, below the deployment's own prefix: nothing
    is encoded, decoded or tidied up. `content` of None sends no body, several pieces go one after the other with
    `pause_s` before each, chunked unless `headers` tell the length.
    """

    target: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | tuple[bytes, ...] | None = None
    pause_s: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.method} {shorten(self.target, 120)}"

    def ask(self, client: httpx.Client) -> httpx.Response:
        """Send the request; raises httpx.RequestError."""
        prefix = client.base_url.raw_path.rstrip(b"/")
        request = client.build_request(
            self.method,
            self.target.lstrip("/"),
            headers=dict(self.headers),
            content=self._pieces(self.content) if isinstance(self.content, tuple) else self.content,
            extensions={"target": prefix + self.target.encode("ascii")},
        )
        return client.send(request)

    def _pieces(self, pieces: tuple[bytes, ...]) -> Iterator[bytes]:
        for piece in pieces:
            time.sleep(self.pause_s)
            yield piece


def difference(direct: httpx.Client, proxy: httpx.Client, question: Question) -> str | None:
    """Say how the answer through the proxy differs from the direct one, and what cures it; ``None``: not at all.

    A field counts only if two direct answers, one before and one after the proxied one, agree in it. Whatever
    others do to the same server meanwhile gets two more chances.
    """
    problem = None
    for _ in range(_ROUNDS):
        before, proxied = _View.of(question, direct), _View.of(question, proxy)
        if not before.differing(proxied):
            return None
        after = _View.of(question, direct)
        moving = before.differing(after)
        seen = [key for key in before.differing(proxied) if key not in moving]
        if not seen or not after.differing(proxied):
            return None
        problem = _told(question, before, proxied, seen)
    return problem


@dataclass(frozen=True)
class _View:
    """An answer, or that there was none, as flat fields."""

    fields: View
    status: int | None
    is_page: bool = False

    @classmethod
    def of(cls, question: Question, client: httpx.Client) -> _View:
        import httpx

        try:
            answer = question.ask(client)
        except httpx.RequestError as error:
            return cls({"status": f"no answer, {type(error).__name__}"}, None)
        fields: dict[str, object] = {"status": answer.status_code}
        fields |= {f"header {name}": _header(answer, name, client.base_url) for name in HEADERS}
        if question.headers.get("Accept-Encoding") == "identity":
            fields["header content-encoding"] = answer.headers.get("content-encoding")
        fields |= dict(_flat("body", _body(answer)))
        return cls(fields, answer.status_code, "html" in answer.headers.get("content-type", ""))

    def differing(self, other: _View) -> list[str]:
        keys = [*self.fields, *(key for key in other.fields if key not in self.fields)]
        return [key for key in keys if self.get(key) != other.get(key)]

    def get(self, key: str) -> object:
        return self.fields.get(key, _NOTHING)


def _header(answer: httpx.Response, name: str, base: httpx.URL) -> str | None:
    values = answer.headers.get_list(name)
    if not values:
        return None
    if name == "location":
        return _below(values[0], base, answer.request.url)
    if name == "content-type":
        return ", ".join(value.replace(" ", "").lower() for value in values)
    if name == "allow":
        return ", ".join(sorted(part.strip() for value in values for part in value.split(",")))
    return ", ".join(values)


def _below(location: str, base: httpx.URL, asked: httpx.URL) -> str:
    """Return a Location without the address of the deployment, so that both ways name the same place alike."""
    there, own = str(asked.join(location)), str(base).rstrip("/")
    return there[len(own) :] if there.startswith(f"{own}/") else there


def _body(answer: httpx.Response) -> Any:
    try:
        return json.loads(answer.content)
    except ValueError:
        return answer.content.decode("latin-1")


def _flat(place: str, value: Any) -> Iterator[tuple[str, object]]:
    """Give each leaf of a JSON value with its place; an empty object or list is a leaf too."""
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from _flat(f"{place}.{key}", one)
    elif isinstance(value, list) and value:
        for number, one in enumerate(value):
            yield from _flat(f"{place}[{number}]", one)
    else:
        # By its text, for 1 and true are equal in Python and not in JSON.
        yield place, value if isinstance(value, str) else json.dumps(value)


def _told(question: Question, direct: _View, proxied: _View, seen: list[str]) -> str:
    shown = [f"{key} is {_text(proxied.get(key))}, not {_text(direct.get(key))}" for key in seen[:3]]
    more = f"; {len(seen) - 3} more" if len(seen) > 3 else ""
    by_itself = proxied.is_page and not direct.is_page
    moved = proxied.status != direct.status
    hint = cure(question.target, question.headers, seen, proxied.status, by_itself=by_itself, moved=moved)
    return f"{question.name} through the proxy: {'; '.join(shown)}{more}{hint}"


def _text(value: object) -> str:
    return printable(shorten(value, 100))
