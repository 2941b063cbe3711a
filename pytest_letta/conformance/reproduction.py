"""Curl lines that repeat a contract on a fresh deployment: addresses and ids become shell variables."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_letta.exchange import Exchange, Note, curl

if TYPE_CHECKING:
    from pytest_letta.deployment import Deployment

#: More lines are a log, not a reproduction.
_LINES = 40
#: As many of the last checks are told: those before found nothing wrong.
_READS = 3
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: More of a body is not shown where a line stands alone.
_SHORT = 300
#: In an id that nothing has: it can stay.
_NOBODY = "00000000-0000"
_UUID = "[0-9a-f]{8}-[0-9a-f-]{27}"
_ID = re.compile(rf"(?P<kind>[a-z_]+)-{_UUID}")


def curl_lines(
    story: Sequence[Exchange | Note], deployment: Deployment | None, *, reads_are_checks: bool = False
) -> list[str]:
    """Return what was sent and done, in order, as lines for a POSIX shell with curl and jq.

    The URLs are set first, as ``LETTA_URL``; an id that an answer brought is kept in a variable by the line
    that brings it. Of a long sequence the beginning and the end stay, and the gap is told; where the reads are
    but checks between the steps, all but the last go before.
    """
    lines = _with_ids(_without_early_reads(story) if reads_are_checks else story)
    if len(lines) > _LINES:
        head = _LINES // 3
        gap = f"# ... {len(lines) - _LINES} more requests ..."
        lines = [*lines[:head], gap, *lines[head - _LINES :]]
    if deployment is None or not lines:
        return lines
    variables: list[str] = []
    for name, url in (("LETTA_PROXY_URL", deployment.proxy_url), ("LETTA_URL", deployment.url)):
        if url is not None and any(f"{url}/" in line for line in lines):
            variables.insert(0, f"{name}={url}")
            lines = [_with_variable(line, url, name) for line in lines]
    return [*variables, *lines]


def standalone(exchange: Exchange) -> str:
    """Return one request as a line that stands alone: for LETTA_URL, and for ids in variables such as AGENT."""
    sent = replace(
        exchange, request_headers=tuple(one for one in exchange.request_headers if one[0].lower() != "user_id")
    )
    line = curl(sent, body_limit=_SHORT)
    origin = re.match(r"https?://[^/]+", exchange.url)
    line = _with_variable(line, origin[0], "LETTA_URL") if origin else line
    for found in sorted({one[0] for one in _ID.finditer(line) if _NOBODY not in one[0]}):
        line = _with_variable(line, found, _variable(found, {}).removesuffix("_1"))
    return line


def _without_early_reads(story: Sequence[Exchange | Note]) -> list[Exchange | Note]:
    end = len(story) - _READS
    return [
        one
        for number, one in enumerate(story)
        if number >= end or isinstance(one, Note) or one.method not in _SAFE_METHODS
    ]


def _with_ids(story: Sequence[Exchange | Note]) -> list[str]:
    """Write each exchange as curl, with the ids of earlier answers replaced by their variables."""
    names: dict[str, str] = {}
    found = []
    for number, exchange in enumerate(story):
        if isinstance(exchange, Note):
            found.append(exchange.text)
            continue
        line = curl(exchange)
        for id, name in names.items():
            line = _with_variable(line, id, name)
        created, extraction = _created(exchange)
        if created and created not in names and _is_used(created, story[number + 1 :]):
            name = _variable(created, names)
            names[created] = name
            line = f"{name}=$({line.replace('curl -sSi', 'curl -sS', 1)} | {extraction})"
        found.append(line)
    return found


def _created(exchange: Exchange) -> tuple[str, str]:
    """Return the id of what a POST created, and the command that finds it in the answer; both may be empty."""
    if exchange.method != "POST" or exchange.status not in {200, 201}:
        return "", ""
    if (exchange.header("content-type") or "").startswith("text/event-stream"):
        run = re.search(rf"run-{_UUID}", exchange.text)
        return (run[0], "grep -om1 'run-[0-9a-f-]\\{36\\}'") if run else ("", "")
    try:
        answer = json.loads(exchange.body)
    except ValueError:
        # A long answer is kept in part only. Its own id comes first, as Letta writes agents and blocks.
        first = re.search(rf'"id"\s*:\s*"({_ID.pattern})"', exchange.text)
        return (first[1], "jq -r .id") if first else ("", "")
    id = answer.get("id") if isinstance(answer, dict) else None
    return (id, "jq -r .id") if isinstance(id, str) and _ID.fullmatch(id) else ("", "")


def _is_used(id: str, story: Sequence[Exchange | Note]) -> bool:
    sent = (one for one in story if isinstance(one, Exchange))
    return any(id in one.url or id.encode() in one.request_body for one in sent)


def _variable(id: str, names: dict[str, str]) -> str:
    match = _ID.fullmatch(id)
    kind = match["kind"].upper() if match else "ID"
    return f"{kind}_{sum(name.startswith(f'{kind}_') for name in names.values()) + 1}"


def _with_variable(line: str, value: str, name: str) -> str:
    """Replace `value` so that the shell expands the variable, whatever quotes stand around it."""
    head, *rest = line.split(value)
    for part in rest:
        quote = _open_quote(head)
        expansion = f"${{{name}}}" if quote == '"' else f'{quote}"${name}"{quote}'
        head += expansion + part
    return head


def _open_quote(text: str) -> str:
    """Return the quote that a POSIX shell has open at the end of `text`, or nothing."""
    quote = ""
    characters = iter(text)
    for character in characters:
        if character == "\\" and quote != "'":
            next(characters, None)
        elif quote == character:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
    return quote
