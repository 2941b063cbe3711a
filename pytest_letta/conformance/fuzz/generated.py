"""Requests that go against the documented schema, as Schemathesis generates them from it."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta.conformance.judging import SEED
from pytest_letta.conformance.sequences import is_thorough, no_constants, seed_for
from pytest_letta.errors import MissingExtraError

if TYPE_CHECKING:
    from schemathesis import Case
    from schemathesis.schemas import BaseSchema

    from pytest_letta.conformance.fuzz.scope import Target

#: How many requests are generated for an operation, and how many by the thorough profile.
_EXAMPLES = 3
_EXAMPLES_THOROUGH = 75


@dataclass(frozen=True)
class Generated:
    """A query as it goes into the URL, and a body with its content type; ``None``: no body."""

    query: str
    body: bytes | None
    kind: str


class Generator:
    """Generates the bad requests of one test, `item`: the same in every run, as `sequences` says.

    Raises MissingExtraError without Schemathesis.
    """

    def __init__(self, item: pytest.Item) -> None:
        for package in ("schemathesis", "hypothesis"):
            if find_spec(package) is None:
                raise MissingExtraError.of("contracts", "a contract of bad input", package)
        self.is_thorough = is_thorough()
        self._number = seed_for(item)
        item.stash[SEED] = f"{self._number} (again with --hypothesis-seed={self._number})"

    def requests(self, document: Mapping[str, Any], targets: Sequence[Target]) -> dict[str, list[Generated]]:
        """Return what to send to each operation, by its key; nothing to one that takes no query and no body."""
        taking = [one for one in targets if one.body is not None or _queries(one)]
        schema = _schema(document, taking)
        return {one.key: self._of(schema, one) for one in taking}

    def _of(self, schema: BaseSchema, target: Target) -> list[Generated]:
        from hypothesis import HealthCheck, Phase, given, seed, settings
        from schemathesis import GenerationMode

        path = target.operation.path
        words = {one["name"]: "x" for one in target.parameters if one["in"] == "path"}
        found: list[Generated] = []
        strategy = schema[path][target.operation.method].as_strategy(
            generation_mode=GenerationMode.NEGATIVE, path_parameters=words or None
        )

        @seed(self._number ^ zlib.crc32(target.key.encode()))
        @settings(
            max_examples=_EXAMPLES_THOROUGH if self.is_thorough else _EXAMPLES,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def collect(case: Case[Any]) -> None:
            found.append(_request(case))

        with warnings.catch_warnings(), no_constants():
            warnings.simplefilter("ignore")  # of what Schemathesis thinks of the document
            collect()
        return list(dict.fromkeys(found))


def _schema(document: Mapping[str, Any], targets: Sequence[Target]) -> BaseSchema:
    """Give Schemathesis the operations, without their headers, which say who we are, and without their answers."""
    import schemathesis

    paths: dict[str, dict[str, Any]] = {}
    for one in targets:
        kept = [each for each in one.details.get("parameters", ()) if each.get("in") != "header"]
        paths.setdefault(one.operation.path, {})[one.operation.method.lower()] = {
            **{key: value for key, value in one.details.items() if one.body is not None or key != "requestBody"},
            "parameters": kept,
            "responses": {},
        }
    # Its own configuration, and not what lies in the folder where the tests run. NUL is a trap of its own.
    config = schemathesis.Config.from_dict({"generation": {"allow-x00": False}})
    return schemathesis.openapi.from_dict({**document, "paths": paths}, config=config)


def _queries(target: Target) -> bool:
    return any(one["in"] == "query" for one in target.parameters)


def _request(case: Case[Any]) -> Generated:
    import requests

    sent = requests.Request(**case.as_transport_kwargs(base_url="http://none"))
    sent.cookies = None
    ready = sent.prepare()
    body = ready.body.encode() if isinstance(ready.body, str) else ready.body
    kind = ready.headers.get("Content-Type", "application/json")
    query = (ready.path_url or "").partition("?")[2]
    return Generated(query, body or None, kind.decode() if isinstance(kind, bytes) else kind)
