"""Curl lines that repeat a contract on a fresh deployment: addresses and ids become shell variables."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_letta.exchange import Exchange, curl

if TYPE_CHECKING:
    from pytest_letta.deployment import Deployment

#: More lines are a log, not a reproduction.
_LINES = 25
_ID = re.compile(r"(?P<kind>[a-z_]+)-[0-9a-f]{8}-[0-9a-f-]{27}")


def curl_lines(exchanges: Sequence[Exchange], deployment: Deployment | None) -> list[str]:
    """Return what was sent, in order, as lines for a POSIX shell with curl and jq.

    The URLs are set first, as ``LETTA_URL``; an id that an answer brought is kept in a variable by the line
    that brings it. Of a long sequence the creations and the last requests stay, and the gap is told.
    """
    lines = _with_ids(exchanges)
    if len(lines) > _LINES:
        head = _LINES // 3
        gap = f"# ... {len(lines) - _LINES} more requests ..."
        lines = [*lines[:head], gap, *lines[head - _LINES :]]
    if deployment is None or not lines:
        return lines
    variables = []
    for name, url in (("LETTA_PROXY_URL", deployment.proxy_url), ("LETTA_URL", deployment.url)):
        if url is not None and any(f"{url}/" in line for line in lines):
            variables.insert(0, f"{name}={url}")
            lines = [_with_variable(line, url, name) for line in lines]
    return [*variables, *lines]


def _with_ids(exchanges: Sequence[Exchange]) -> list[str]:
    """Write each exchange as curl, with the ids of earlier answers replaced by their variables."""
    names: dict[str, str] = {}
    found = []
    for exchange in exchanges:
        line = curl(exchange)
        for id, name in names.items():
            line = _with_variable(line, id, name)
        created = _created_id(exchange)
        if created is not None and created not in names:
            name = _variable(created, names)
            names[created] = name
            line = f"{name}=$({line.replace('curl -sSi', 'curl -sS', 1)} | jq -r .id)"
        found.append(line)
    return found


def _created_id(exchange: Exchange) -> str | None:
    """Return the id of the resource that a POST created, or ``None``."""
    if exchange.method != "POST" or exchange.status not in {200, 201}:
        return None
    try:
        answer = json.loads(exchange.body)
    except ValueError:
        # A long answer is kept in part only; its id comes early or late, but names the path of what follows.
        match = re.search(rf'"id"\s*:\s*"({_ID.pattern})"', exchange.text)
        return match[1] if match else None
    id = answer.get("id") if isinstance(answer, dict) else None
    return id if isinstance(id, str) and _ID.fullmatch(id) else None


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
