"""Compares what comes through a proxy with what the server answers directly, field by field."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pytest_letta.conformance.nginx_cures import cure
from pytest_letta.telling import page_of, printable, shorten

if TYPE_CHECKING:
    import httpx

#: What every client acts upon; Date, Server, lengths and the like are each hop's own.
HEADERS: Final = ("allow", "content-type", "location")
#: What caches, browsers and downloads act upon besides.
MORE_HEADERS: Final = (*HEADERS, "cache-control", "content-disposition", "retry-after", "www-authenticate")
#: What browsers ask of the answers to pages of other origins.
CORS_HEADERS: Final = (
    *HEADERS,
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
)
_ROUNDS = 3
_SHOWN = 100
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

    def ask(self, client: httpx.Client, *, stream: bool = False) -> httpx.Response:
        """Send the request; raises httpx.RequestError. With `stream` the answer is still to be read and closed."""
        prefix = client.base_url.raw_path.rstrip(b"/")
        request = client.build_request(
            self.method,
            self.target.lstrip("/"),
            headers=dict(self.headers),
            content=self._pieces(self.content) if isinstance(self.content, tuple) else self.content,
            extensions={"target": prefix + self.target.encode("ascii")},
        )
        return client.send(request, stream=stream)

    def _pieces(self, pieces: tuple[bytes, ...]) -> Iterator[bytes]:
        for piece in pieces:
            time.sleep(self.pause_s)
            yield piece


def difference(
    direct: httpx.Client, proxy: httpx.Client, question: Question, headers: Sequence[str] = HEADERS
) -> str | None:
    """Say how the answer through the proxy differs from the direct one, and what cures it; ``None``: not at all.

    Status, body and these `headers` are compared. A field counts only if two direct answers, one before and one
    after the proxied one, agree in it. Bodies get two more chances, for others use the same server meanwhile.
    """
    problem = None
    for _ in range(_ROUNDS):
        before, proxied = (_View.of(question, way, headers) for way in (direct, proxy))
        if not before.differing(proxied):
            return None
        after = _View.of(question, direct, headers)
        moving = before.differing(after)
        seen = [key for key in before.differing(proxied) if key not in moving]
        if not seen or not after.differing(proxied):
            return None
        problem = _told(question, before, proxied, seen)
        if not all(key.startswith("body") for key in seen):
            break
    return problem


@dataclass(frozen=True)
class _View:
    """An answer, or that there was none, as flat fields."""

    fields: View
    status: int | None
    page: str | None = None  #: the answer is an HTML page: what it calls itself

    @classmethod
    def of(cls, question: Question, client: httpx.Client, headers: Sequence[str]) -> _View:
        import httpx

        try:
            answer = question.ask(client)
        except httpx.RequestError as error:
            return cls({"status": f"no answer, {type(error).__name__}"}, None)
        fields: dict[str, object] = {"status": answer.status_code}
        fields |= {f"header {name}": _header(answer, name, client.base_url) for name in headers}
        if question.headers.get("Accept-Encoding") == "identity":
            fields["header content-encoding"] = answer.headers.get("content-encoding")
        fields |= dict(_flat("body", _body(answer)))
        return cls(fields, answer.status_code, page_of(answer))

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
    by_itself = proxied.page is not None and direct.page is None
    told = [key for key in seen if not (by_itself and key.startswith("body"))]
    shown = [_contrast(key, proxied.get(key), direct.get(key)) for key in told[:3]]
    if by_itself:
        shown.append(f"the proxy answered by itself, with {proxied.page}")
    more = f"; {len(told) - 3} more" if len(told) > 3 else ""
    moved = proxied.status != direct.status
    hint = cure(question.target, question.headers, seen, proxied.status, by_itself=by_itself, moved=moved)
    return f"{question.name} through the proxy: {'; '.join(shown)}{more}{hint}"


def _contrast(key: str, proxied: object, direct: object) -> str:
    """Say that a field is this and not that, of long texts from shortly before they part on."""
    seen, wanted = (" ".join(str(value).split()) for value in (proxied, direct))
    pairs = enumerate(zip(seen, wanted, strict=False))
    alike = next((place for place, (one, other) in pairs if one != other), min(len(seen), len(wanted)))
    start = max(0, alike - 20) if alike > _SHOWN // 2 else 0
    dots = "..." if start else ""
    return f"{key} is {dots}{_text(seen[start:])}, not {dots}{_text(wanted[start:])}"


def _text(text: str) -> str:
    return printable(shorten(text, _SHOWN))
