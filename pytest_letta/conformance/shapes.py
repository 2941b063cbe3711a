"""Holds the answers of success of a run against the shapes that the server documents for them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pytest_letta.conformance.findings import Finding

if TYPE_CHECKING:
    from pytest_letta.exchange import Exchange
    from pytest_letta.spec import Spec

#: So many answers of an operation are looked at: the next ones are of the same make.
_ENOUGH = 20
_PROBLEMS = 3
#: Stands for values of answers, which differ from run to run.
_MASK = "it"


class Shapes:
    """What was seen of the answers of one server, in one process; nothing without the package jsonschema-rs.

    `own` are schemas of ours, by operation, for what the server documents of it: some take any object.
    `found` has one finding for each operation and each way in which its answers are of another shape.
    """

    def __init__(self, spec: Spec, own: Mapping[str, Any]) -> None:
        self._spec = spec
        self._own = own
        self._validators: dict[tuple[str, int], Any] = {}
        self._seen: Counter[str] = Counter()
        self._can = find_spec("jsonschema_rs") is not None
        self.found: list[Finding] = []

    def look(self, key: str, exchange: Exchange) -> None:
        """Look at the answer that an operation gave, if it is whole and JSON."""
        status = exchange.status or 0
        is_whole = exchange.is_complete and exchange.body_size == len(exchange.body)
        kind = next((value for name, value in exchange.response_headers if name.lower() == "content-type"), "")
        is_json = kind.partition(";")[0].strip().lower() == "application/json"
        if not (self._can and is_whole and is_json and 200 <= status < 300 and self._seen[key] < _ENOUGH):
            return
        validator = self._validator(key, status)
        if validator is None:
            return
        self._seen[key] += 1
        for problem in self._problems(validator, exchange.body):
            finding = Finding(problem, key)
            if finding not in self.found:
                self.found.append(finding)

    @property
    def has_seen(self) -> bool:
        """Whether any answer was looked at."""
        return bool(self._seen)

    @staticmethod
    def _problems(validator: Any, body: bytes) -> list[str]:
        try:
            value = json.loads(body)
        except ValueError:
            return ["it is no JSON"]
        errors = validator.iter_errors(value)
        return list(dict.fromkeys(_told(error) for error, _ in zip(errors, range(_PROBLEMS), strict=False)))

    def _validator(self, key: str, status: int) -> Any:
        if (key, status) not in self._validators:
            self._validators[key, status] = self._compiled(key, status)
        return self._validators[key, status]

    def _compiled(self, key: str, status: int) -> Any:
        import jsonschema_rs

        operation = self._spec.operations[key]
        details = self._spec.document["paths"][operation.path][operation.method.lower()]
        content = details.get("responses", {}).get(str(status), {}).get("content", {})
        schemas = [content.get("application/json", {}).get("schema"), self._own.get(key)]
        told = [one for one in schemas if isinstance(one, Mapping) and one]
        if not told:
            return None
        whole = {"allOf": told, "components": self._spec.document.get("components", {})}
        try:
            return jsonschema_rs.Draft202012Validator(whole, mask=_MASK)
        except ValueError:  # what the server documents is no JSON Schema
            return None


def shapes_of(spec: Spec) -> Shapes:
    """Return what looks at the answers of a server, with the schemas that ship for it."""
    import yaml

    from pytest_letta.conformance.suites import shapes_file

    return Shapes(spec, yaml.safe_load(shapes_file().read_text(encoding="utf-8")))


def _told(error: Any) -> str:
    """Say where and how an answer differs; places in lists are left out."""
    where = ".".join("*" if isinstance(step, int) else str(step) for step in error.instance_path) or "the body"
    return f"{where}: {error.message}"
