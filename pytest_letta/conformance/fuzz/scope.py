"""Which documented operations bad input is sent to, by area, and why not to the others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pytest_letta.spec import Operation, Spec

#: Areas of the API: the first word of a path behind /v1/. What has another, or is not worth its own, is in the last.
AREAS: Final = (
    *("agents", "archives", "auth", "blocks", "chat", "conversations", "folders", "jobs", "mcp-servers", "messages"),
    *("models", "passages", "providers", "runs", "sandbox-config", "steps", "tags", "tools", "others"),
)

#: Where bad input could harm others, the machine or the network: a pattern of operations, and the reason.
EXCLUDED: Final[Mapping[str, str]] = {
    r".* /v1/admin/.*": "it is for the whole server: one mistake of the server there would harm others",
    r".* /v1/_internal_.*": "it is for Letta's own front end, and is changed without notice",
    r"(POST|PUT|PATCH) /v1/(tools/mcp|mcp-servers)/.*": "the server would start the command or open the address sent",
    r"GET /v1/mcp-servers/connect/.*|GET /v1/tools/mcp/oauth/.*": "the server would open an address",
    r"POST /v1/tools/run": "the server would run the text as a program",
    r"POST /v1/tools/generate-tool": "a model is asked, and none is scripted for it",
    r"(POST|PATCH) /v1/providers/.*": "the server would ask the address sent for its models",
    r"POST /v1/sandbox-config/local/recreate-venv": "it builds an environment on the disk of the server",
    r"POST .*/preview-raw-payload": "it takes what POST messages takes, and only shows what would become of it",
    r"POST /v1/conversations/.*/compact": "it takes what POST summarize of an agent takes, and asks a model",
    r"POST .*/messages/async|POST /v1/messages/batches": "the turn goes on when the answer is there",
    r"POST /v1/(runs|conversations)/\{[^}]*\}/stream": "it waits for a turn without an end",
    r"DELETE .*/": "it names nothing to delete: all would be",
    r".* /v1/(health|ready)/": "it takes no input",
}

#: Those that a model answers: only the scripted one costs nothing, and says the same each time.
_ASKS_MODEL: Final = re.compile(r"POST .*/(messages|generate|summarize|completions)")


@dataclass(frozen=True)
class Target:
    """An operation with what its document says of it."""

    operation: Operation
    details: Mapping[str, Any]

    @property
    def key(self) -> str:
        return self.operation.key

    @property
    def parameters(self) -> list[Mapping[str, Any]]:
        return [one for one in self.details.get("parameters", ()) if "$ref" not in one]

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The schema of its JSON body; ``None`` when it takes none, or is a GET, whose body proxies drop."""
        if self.operation.method == "GET":
            return None
        content = self.details.get("requestBody", {}).get("content", {})
        found = content.get("application/json", {}).get("schema")
        return found if isinstance(found, Mapping) else None


def area_of(path: str) -> str:
    """Return the area that a path belongs to."""
    word = path.removeprefix("/v1/").partition("/")[0] if path.startswith("/v1/") else ""
    return word if word in AREAS else AREAS[-1]


def why_excluded(key: str) -> str | None:
    """Return why nothing bad is sent to an operation, such as ``DELETE /v1/admin/users/``, or ``None``."""
    return next((reason for pattern, reason in EXCLUDED.items() if re.fullmatch(pattern, key)), None)


def targets(spec: Spec, area: str, *, reads_only: bool, with_model: bool) -> Iterator[Target]:
    """Give the operations of an area that bad input is sent to, in the order of their names; no deprecated ones.

    `reads_only`: nothing may be changed. `with_model`: the model that answers is the scripted one.
    """
    for key, operation in sorted(spec.operations.items()):
        if operation.is_deprecated or area_of(operation.path) != area or why_excluded(key):
            continue
        if (reads_only and operation.method != "GET") or (not with_model and _ASKS_MODEL.fullmatch(key)):
            continue
        yield Target(operation, spec.document["paths"][operation.path][operation.method.lower()])
