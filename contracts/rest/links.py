"""Sequences of requests that follow from each other's answers, as Schemathesis infers them from the document."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import schemathesis
from hypothesis.errors import Flaky
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import ensure_resource_availability, use_after_free

from pytest_letta import must

from .sending import Finding, Samples

if TYPE_CHECKING:
    import httpx
    from schemathesis import Case

    from pytest_letta.conformance.fuzz.scope import Target
    from pytest_letta.conformance.sequences import Sequences

    from .estate import Estate
    from .sending import Judgement

_CHECKS = [use_after_free, ensure_resource_availability]


def run_linked(
    sequences: Sequences,
    document: Mapping[str, Any],
    targets: Sequence[Target],
    new_estate: Callable[[], Estate],
    story: Judgement,
) -> None:
    """Run sequences of requests to the operations `targets`, each as the owner of an estate of its own.

    What is created is the least that the document asks for, so that there is something to go on with. After each
    answer: what was created is there, and what was deleted is not.
    """
    bodies = {one.key: one.body for one in targets if one.operation.method == "POST" and one.body is not None}
    found: list[Finding] = []

    class Linked(_schema(document, targets).as_state_machine()):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            # Of its own: what an earlier one left would change the answers, and with them what follows.
            self.estate = new_estate()
            self.samples = Samples(document, self.estate.known())

        def call(self, case: Case[Any], **_: Any) -> Response:
            if case.operation.label in bodies:
                case.body = self.samples.fields(bodies[case.operation.label])
            return Response.from_any(_sent(self.estate, case))

        def validate_response(self, response: Response, case: Case[Any], *_: Any, **__: Any) -> None:
            try:
                case.validate_response(response, checks=_CHECKS, recorder=self.recorder)
            except FailureGroup as failures:
                told = "; ".join(" ".join(one.message.split()) for one in failures.exceptions)
                found.append(Finding(told, case.operation.label, curl=story.curl(story.newest())))
                must(told)

    try:
        sequences.run(Linked, examples=12, steps=15, tries=4)
    except Flaky:
        # What Schemathesis learns of the answers changes what it does next, so a sequence is not always the same.
        story.must_be_none(found[:1], tried=())


def _sent(estate: Estate, case: Case[Any]) -> httpx.Response:
    sent = case.as_transport_kwargs(base_url="http://none")
    content = None if sent.get("json") is None else json.dumps(sent["json"])
    headers = {} if content is None else {"Content-Type": "application/json"}
    method, path = case.operation.method.upper(), urlsplit(sent["url"]).path
    return estate.request(method, path, params=sent.get("params"), content=content, headers=headers)


def _schema(document: Mapping[str, Any], targets: Sequence[Target]) -> Any:
    paths: dict[str, dict[str, Any]] = {}
    for one in targets:
        kept = [each for each in one.parameters if each["in"] != "header"]
        details = {key: value for key, value in one.details.items() if one.body is not None or key != "requestBody"}
        paths.setdefault(one.operation.path, {})[one.operation.method.lower()] = {**details, "parameters": kept}
    # Its own configuration, and not what lies in the folder where the tests run.
    config = schemathesis.Config.from_dict({"generation": {"mode": "positive", "allow-x00": False}})
    return schemathesis.openapi.from_dict({**document, "paths": paths}, config=config)
