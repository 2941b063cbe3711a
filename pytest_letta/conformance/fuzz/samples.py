"""The least that a schema takes: values for a request that is well formed but for what is to be bad in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
_DEEPEST = 6
_TEXTS = {
    "date-time": "2026-01-02T03:04:05Z",
    "date": "2026-01-02",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "http://127.0.0.1:1/",
}


class Samples:
    """Values for the schemas of one OpenAPI document. `known` gives those of fields by their names."""

    def __init__(self, document: Schema, known: Mapping[str, Any]) -> None:
        self._document = document
        self._known = known

    def of(self, schema: Schema, name: str = "", depth: int = 0) -> Any:
        """Return a value that `schema` takes; an object has the fields that it must have."""
        if name in self._known:
            return self._known[name]
        schema = self.resolved(schema)
        if "const" in schema or schema.get("enum"):
            return schema.get("const", (schema.get("enum") or [None])[0])
        if schema.get("default") is not None:
            return schema["default"]
        match schema.get("type"):
            case "string":
                return self._text(schema)
            case "integer" | "number":
                return max(schema.get("minimum", 1), 1)
            case "boolean":
                return False
            case "array":
                return [self.of(schema.get("items", {}), depth=depth + 1)] if depth < _DEEPEST else []
            case "null":
                return None
        return self.fields(schema, depth) if depth < _DEEPEST else {}

    def fields(self, schema: Schema, depth: int = 0) -> dict[str, Any]:
        """Return an object with the fields that it must have, those that say what it is, and those that are known."""
        properties = self.properties(schema)
        required = self.resolved(schema).get("required", ())
        return {
            name: self.of(one, name, depth + 1)
            for name, one in properties.items()
            if name in required or "const" in one or (depth == 0 and name in self._known)
        }

    def properties(self, schema: Schema) -> Mapping[str, Schema]:
        found = self.resolved(schema).get("properties", {})
        return found if isinstance(found, Mapping) else {}

    def resolved(self, schema: Schema) -> Schema:
        """Return what a schema stands for: of alternatives the first that is not null."""
        return next(self.variants(schema), {"type": "null"})

    def variants(self, schema: Schema, depth: int = 0) -> Iterator[Schema]:
        """Give the alternatives of a schema, references and nesting resolved; null is none."""
        if depth > _DEEPEST:
            return
        if "$ref" in schema:
            found: Any = self._document
            for word in schema["$ref"].removeprefix("#/").split("/"):
                found = found.get(word.replace("~1", "/").replace("~0", "~"), {})
            yield from self.variants(found, depth + 1)
            return
        nested = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if nested:
            for one in nested:
                yield from self.variants(one, depth + 1)
        elif schema.get("type") != "null":
            yield schema

    def _text(self, schema: Schema) -> str:
        if schema.get("examples"):
            return str(schema["examples"][0])
        return _TEXTS.get(schema.get("format", ""), "x" * max(int(schema.get("minLength", 1)), 1))
