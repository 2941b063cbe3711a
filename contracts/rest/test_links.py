"""Links: what an answer names can be used as the document says, and what was deleted cannot."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_letta import contract, not_applicable

from .sending import targets

if TYPE_CHECKING:
    from pytest_letta import Deployment
    from pytest_letta.conformance.sequences import Sequences

    from .estate import Estate
    from .sending import Judgement

_AREAS = ("agents", "archives", "blocks", "conversations", "folders", "tools")
#: A collection, and one of it: what takes more is seldom met with ids that go together.
_PATH = r"/v1/[a-z-]+/(\{[a-z_]+\})?"


@contract(
    "REST-LINKS-001",
    needs=["agents", "blocks", "tools", "write"],
    because="integrations go from answer to answer: an id that leads nowhere, or to what was deleted, breaks them",
)
def test_what_answers_name_is_there_until_it_is_deleted(
    letta_deployment: Deployment,
    new_estate: Callable[[], Estate],
    letta_sequences: Sequences,
    letta_findings: Judgement,
) -> None:
    """In random sequences of requests that follow from answers, what was made is there until it is deleted."""
    spec = letta_deployment.spec
    if spec is None:
        not_applicable("the server gives no usable /openapi.json, so nothing follows from its answers")
    if not new_estate().is_owned:
        not_applicable("no organization of our own can be made here, and others would be harmed in theirs")
    from .links import run_linked

    found = [one for area in _AREAS for one in targets(spec, area, reads_only=False, with_model=False)]
    chosen = [one for one in found if re.fullmatch(_PATH, one.operation.path)]
    run_linked(letta_sequences, spec.document, chosen, new_estate, letta_findings)
