"""What an answer to bad input must not be: pure judgements, each with the shape of what was seen."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

#: The inside of a server: stack traces, statements, and where its sources are.
_INSIDE = {
    "a stack trace": re.compile(r"Traceback \(most recent call last\)|\bFile \\?\"[^\"]+\.py\\?\", line \d+"),
    "SQL": re.compile(
        r"\[SQL: |\b(SELECT|DELETE) [\w\s.,*()\"]+ FROM |\bINSERT INTO \w+|\bUPDATE \w+ SET ", re.DOTALL
    ),
    "a path of its sources": re.compile(r"/(site-packages|dist-packages)/|(/[\w.-]+){2,}\.py\b"),
    "names of its database driver": re.compile(r"\b(asyncpg|psycopg2?|sqlalchemy|pg8000)\.\w"),
}
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_SHAPE_LIMIT = 70


def shape(text: str) -> str:
    """Return what an error says without what differs from request to request: ids, numbers, quoted words."""
    said = text
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        pass
    else:
        said = str(body.get("detail") or body.get("error") or body) if isinstance(body, Mapping) else str(body)
    said = re.sub(rf"\b[\w-]*{_UUID}", "<id>", " ".join(said.split()))
    said = re.sub(r"'[^']*'", "'...'", said)
    said = re.sub(r"\d+", "<n>", said)
    said = "".join(one for one in said if one.isprintable())
    return said if len(said) <= _SHAPE_LIMIT else f"{said[:_SHAPE_LIMIT].rstrip()}..."


def problem(status: int, text: str) -> str | None:
    """Return what is wrong with any answer to bad input: a server error, or the inside of the server in an error."""
    if status < 400:
        return None
    for what, pattern in _INSIDE.items():
        if pattern.search(text):
            return f"{status} with {what} in the body"
    # 501 is an honest word about what this deployment does not have.
    return f"{status} {shape(text)}" if status >= 500 and status != 501 else None


def unnamed(status: int, text: str, name: str) -> str | None:
    """Return what is wrong with the refusal of a request in which only `name` is at fault: that it is not named."""
    if status not in {400, 422} or name.lower() in text.lower():
        return None
    return f"{status} that does not name the field"
