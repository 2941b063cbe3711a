"""The control calls: set scripts, read back the recorded requests. Data in, data out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from pytest_letta.errors import ModelError
from pytest_letta.llm.reply import Reply
from pytest_letta.llm.request import RefusedError
from pytest_letta.llm.script import ScriptedModel

PREFIX = "/_control/"


def control(model: ScriptedModel, method: str, path: str, query: str, body: Any) -> dict[str, Any]:
    """Carry out one control call; ``path`` is unquoted. Raises RefusedError for what it cannot do.

    ::

        PUT    /_control/scripts/KEY   {"replies": [...]}
        DELETE /_control/scripts/KEY
        GET    /_control/requests?key=KEY&path=PATH&since=NUMBER
        DELETE /_control/requests?key=KEY
    """
    topic, _, key = path.removeprefix(PREFIX).partition("/")
    try:
        match (method, topic, bool(key)):
            case ("PUT", "scripts", True):
                return _put(model, key, body)
            case ("DELETE", "scripts", True):
                return {"key": key, "deleted": model.drop(key)}
            case ("GET", "requests", False):
                return _requests(model, _query(query, "key", "path", "since"))
            case ("DELETE", "requests", False):
                return {"deleted": model.forget_requests(_query(query, "key").get("key"))}
    except RefusedError:
        raise
    except ModelError as error:
        raise RefusedError(str(error)) from error
    raise RefusedError(f"There is no control call {method} {path}.", status=404)


def _put(model: ScriptedModel, key: str, body: Any) -> dict[str, Any]:
    if not isinstance(body, dict) or set(body) != {"replies"} or not isinstance(body["replies"], list):
        raise RefusedError('A script must be a JSON object {"replies": [...]}.', param="replies")
    replies = [Reply.from_json(value) for value in body["replies"]]
    model.put(key, replies)
    return {"key": key, "replies": len(replies)}


def _requests(model: ScriptedModel, query: Mapping[str, str]) -> dict[str, Any]:
    since = query.get("since", "0")
    if not (since.isascii() and since.isdecimal() and len(since) < 20):
        raise RefusedError(f"since must be the number of a request, got {since!r}.", param="since")
    found = model.requests(query.get("key"), query.get("path"), int(since))
    return {"requests": [request.to_json() for request in found]}


def _query(query: str, *allowed: str) -> dict[str, str]:
    given = dict(parse_qsl(query, keep_blank_values=True))
    for name in given:
        # A misspelt `key` would delete or show everybody's requests.
        if name not in allowed:
            raise RefusedError(f"There is no parameter {name!r} here, only {', '.join(allowed)}.", param=name)
    return given
