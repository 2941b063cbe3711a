"""What a deployment documents in its own /openapi.json: operations, and which of them a request is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

_PARAMETER = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True)
class Operation:
    """One documented method of one path.

    `path` is a template, such as `/v1/agents/{agent_id}`. `answers` are the statuses that it documents, as they are
    written there: `200`, `4XX`, `default`.
    """

    method: str
    path: str
    is_deprecated: bool = False
    answers: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """Method and template, such as `GET /v1/agents/{agent_id}`."""
        return f"{self.method} {self.path}"

    def documents(self, status: int) -> bool:
        """Tell whether an answer of this status is documented."""
        return not self.answers.isdisjoint({str(status), f"{status // 100}XX", "default"})


@dataclass(frozen=True)
class Spec:
    """An OpenAPI 3 document. `operations` maps keys such as `GET /v1/agents/` to operations."""

    operations: Mapping[str, Operation]
    version: str | None = None
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_openapi(cls, document: object) -> Spec:
        """Read a parsed document; raise ValueError, with what is wrong, when it is no OpenAPI 3 document."""
        if not isinstance(document, dict):
            raise ValueError(f"it is a JSON {type(document).__name__}, not an object")
        if not str(document.get("openapi", "")).startswith("3."):
            raise ValueError(f"its field 'openapi' must be a version 3, got {document.get('openapi')!r}")
        paths = document.get("paths")
        if not isinstance(paths, dict) or not paths:
            raise ValueError("it documents no paths")
        found = [
            _operation(method, path, body if isinstance(body, dict) else {})
            for path, item in paths.items()
            if isinstance(item, dict)
            for method, body in item.items()
            if method in METHODS
        ]
        if not found:
            raise ValueError("it documents no operations")
        info = document.get("info")
        version = info.get("version") if isinstance(info, dict) else None
        return cls({each.key: each for each in found}, version if isinstance(version, str) else None, document)

    def has(self, key: str) -> bool:
        """Tell whether an operation is documented, whatever the names of its path parameters are."""
        return _nameless(key) in self._nameless_keys

    def has_body(self, key: str) -> bool:
        """Tell whether a documented operation takes a body."""
        operation = self.operations[key]
        return "requestBody" in self.document["paths"][operation.path][operation.method.lower()]

    def operation_for(self, method: str, path: str) -> str | None:
        """Return the key of the operation that a request is for, None when it is not documented.

        `path` is that of the URL, below the prefix of the deployment; a query is cut off. Of several templates that
        match, the one with literal segments further to the left wins, as in OpenAPI 3.1 section 4.8.8.2.
        """
        segments = path.partition("?")[0].split("/")
        for template, key in self._by_length.get((method.upper(), len(segments)), ()):
            if all(_matches(part, segment) for part, segment in zip(template, segments, strict=True)):
                return key
        return None

    def takes(self, method: str, path: str, *names: str) -> bool:
        """Tell whether the operation that a request is for documents each name, in its query or its JSON body."""
        template = self.operation_for(method, path)
        if template is None:
            return False
        item = self.document["paths"][self.operations[template].path]
        operation = item[method.lower()]
        known = {one.get("name") for one in (*item.get("parameters", ()), *operation.get("parameters", ()))}
        bodies = operation.get("requestBody", {}).get("content", {})
        return known.union(*(self._properties(one.get("schema")) for one in bodies.values())).issuperset(names)

    def _properties(self, schema: Any) -> set[str]:
        """Return the names of the fields of an object, or of all the objects that it may be."""
        if not isinstance(schema, dict):
            return set()
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self._properties(self.document.get("components", {}).get("schemas", {}).get(name))
        parts = (one for key in ("allOf", "anyOf", "oneOf") for one in schema.get(key, ()))
        return set(schema.get("properties", ())).union(*map(self._properties, parts))

    @cached_property
    def _nameless_keys(self) -> frozenset[str]:
        return frozenset(_nameless(key) for key in self.operations)

    @cached_property
    def _by_length(self) -> dict[tuple[str, int], list[tuple[list[str], str]]]:
        found: dict[tuple[str, int], list[tuple[list[str], str]]] = {}
        for key, operation in self.operations.items():
            template = operation.path.split("/")
            found.setdefault((operation.method, len(template)), []).append((template, key))
        for each in found.values():
            each.sort(key=lambda pair: ["{" in part for part in pair[0]])
        return found


def _operation(method: str, path: str, body: Mapping[str, Any]) -> Operation:
    answers = body.get("responses")
    statuses = frozenset(map(str, answers)) if isinstance(answers, dict) else frozenset[str]()
    return Operation(method.upper(), path, body.get("deprecated") is True, statuses)


def _nameless(key: str) -> str:
    return _PARAMETER.sub("{}", key)


def _matches(part: str, segment: str) -> bool:
    if "{" not in part:
        return part == segment
    pattern = ".+".join(re.escape(literal) for literal in _PARAMETER.split(part))
    return re.fullmatch(pattern, segment) is not None
