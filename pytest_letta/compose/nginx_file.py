"""Reads the configuration of an nginx out of the files that a compose file mounts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_letta.compose.mounted import MountedText, text_at, texts_like
from pytest_letta.compose.place import Place

if TYPE_CHECKING:
    from pytest_letta.compose.file import ComposeFile

_MAIN = "/etc/nginx/nginx.conf"
_TEMPLATES = "/etc/nginx/templates/*.template"
#: What the main file of the official image includes inside of ``http``.
_INCLUDED = "/etc/nginx/conf.d/*.conf"
_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
      | (?P<sign>[{};])
      | (?P<quoted>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
      | (?P<word>(?!["'])(?:\\.|\$\{[^}]*\}|[^\s{};\\])+)""",
    re.VERBOSE | re.DOTALL,
)
#: No configuration includes files in files in files deeper than that.
_DEEPEST = 5


class NginxSyntaxError(Exception):
    """A text is no nginx configuration."""


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive: `block` holds those inside of its braces, and is ``None`` where it has none."""

    name: str
    args: tuple[str, ...]
    place: Place
    block: tuple[Directive, ...] | None = None

    def find(self, name: str) -> Iterator[Directive]:
        """Give the directives of that name right inside of this one."""
        return (one for one in self.block or () if one.name == name)


def nginx_configuration(file: ComposeFile, service: str) -> Directive | None:
    """Return the ``http`` block of the nginx in `service`, includes filled in; ``None`` when none is mounted.

    Templates, which the image fills in at its start, take the place that they get. Raises NginxSyntaxError.
    """

    def include(pattern: str) -> list[MountedText]:
        return [*texts_like(file, service, pattern), *_filled_templates(file, service, pattern)]

    main = text_at(file, service, _MAIN)
    if main is not None:
        top = parse(main.text, main.file, include)
        return next((one for one in top if one.name == "http"), None)
    parts = [one for text in include(_INCLUDED) for one in parse(text.text, text.file, include)]
    return Directive("http", (), parts[0].place, tuple(parts)) if parts else None


def parse(text: str, file: Path, include: Callable[[str], Sequence[MountedText]]) -> tuple[Directive, ...]:
    """Return the directives of a text; `include` gives the texts for the pattern of an ``include`` directive."""
    tokens = list(_tokens(text))
    directives, end = _block(tokens, 0, file, include)
    if end != len(tokens):
        raise NginxSyntaxError(f"{Place(file, tokens[end][1])}: unexpected }}")
    return directives


def _tokens(text: str) -> Iterator[tuple[str, int, bool]]:
    """Give each token with its line, and whether it is a sign, that is no word."""
    position, line = 0, 1
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise NginxSyntaxError(f"line {line}: {text[position : position + 20]!r} is not understood")
        found = match[0]
        if match.lastgroup != "space":
            word = found[1:-1] if match.lastgroup == "quoted" else found
            yield word, line, match.lastgroup == "sign"
        line += found.count("\n")
        position = match.end()


def _block(
    tokens: list[tuple[str, int, bool]], start: int, file: Path, include: Callable[[str], Sequence[MountedText]]
) -> tuple[tuple[Directive, ...], int]:
    """Return the directives from `start` on, and where their block or the text ends."""
    found: list[Directive] = []
    words: list[str] = []
    place = Place(file, None)
    at = start
    while at < len(tokens):
        word, line, is_sign = tokens[at]
        if not is_sign:
            place = place if words else Place(file, line)
            words.append(word)
        elif word == "}":
            break
        elif words:
            inner = None
            if word == "{":
                inner, at = _block(tokens, at + 1, file, include)
                if at >= len(tokens):
                    raise NginxSyntaxError(f"{place}: the block of {words[0]} has no end")
            found += _finished(Directive(words[0], tuple(words[1:]), place, inner), include)
            words = []
        at += 1
    if words:
        raise NginxSyntaxError(f"{place}: {words[0]} does not end with a semicolon")
    return tuple(found), at


def _finished(directive: Directive, include: Callable[[str], Sequence[MountedText]]) -> Sequence[Directive]:
    if directive.name != "include" or not directive.args:
        return [directive]
    pattern = directive.args[0]
    absolute = pattern if pattern.startswith("/") else f"/etc/nginx/{pattern}"
    return [one for text in include(absolute) for one in parse(text.text, text.file, _deeper(include))]


def _deeper(include: Callable[[str], Sequence[MountedText]]) -> Callable[[str], Sequence[MountedText]]:
    """Let an included file include others, but not without end: each level may use up one of the levels."""
    level = getattr(include, "level", 0) + 1

    def included(pattern: str) -> Sequence[MountedText]:
        return include(pattern) if level < _DEEPEST else ()

    included.level = level  # type: ignore[attr-defined]
    return included


def _filled_templates(file: ComposeFile, service: str, pattern: str) -> list[MountedText]:
    if pattern != _INCLUDED:
        return []
    variables = file.environment(service)

    def value(match: re.Match[str]) -> str:
        return variables.get(match[1] or match[2], match[0])

    filled = []
    for text in texts_like(file, service, _TEMPLATES):
        filled.append(MountedText(text.inside, text.file, re.sub(r"\$\{(\w+)\}|\$(\w+)", value, text.text)))
    return filled
