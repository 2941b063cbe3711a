"""Deprecated operations: as long as a server documents them they answer, or say that they are gone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import pytest
import yaml

from pytest_letta import contract, must, not_applicable
from pytest_letta.conformance.checks import refused, status

from .stock import NO_LONGER, Stock

if TYPE_CHECKING:
    import httpx

    from pytest_letta import Deployment
    from pytest_letta.handles import Handles
    from pytest_letta.ownership import Ledger

_CALLS: Mapping[str, str] = yaml.safe_load(Path(__file__).with_name("deprecated.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def shared_stock(letta_client: httpx.Client, letta_handles: Handles, letta_shared_ledger: Ledger) -> Stock:
    """What is only read or changed."""
    return Stock(letta_client, letta_handles, letta_shared_ledger)


@pytest.fixture
def own_stock(letta_client: httpx.Client, letta_handles: Handles, letta_ledger: Ledger) -> Stock:
    """What is deleted."""
    return Stock(letta_client, letta_handles, letta_ledger)


@pytest.mark.parametrize("case", _CALLS)
@contract(
    "REST-DEPRECATED-001",
    needs=["agents", "folders"],
    because="integrations go on calling it: a 500 looks like an outage, a 404 or 410 says what it is",
)
def test_deprecated_operation_answers_or_says_that_it_is_gone(
    letta_deployment: Deployment, shared_stock: Stock, own_stock: Stock, case: str
) -> None:
    """A deprecated operation that is documented answers as documented, or with 404, 405 or 410; never with 5xx."""
    line = _CALLS[case]
    documented = _documented(letta_deployment, line)
    for word, need in (("$step", "messages"), ("/stream", "streaming")):
        if word in line and not (found := letta_deployment.capabilities[need]).available:
            not_applicable(found.reason)

    stock = own_stock if line.startswith("DELETE") else shared_stock
    if "/detach/" in line:
        _send(stock, line.replace("/detach/", "/attach/"))
    answer = _send(stock, line)

    if answer.status_code in NO_LONGER:
        must(refused(answer, *NO_LONGER))
    else:
        must(status(answer, *documented))


def _documented(deployment: Deployment, line: str) -> list[int]:
    """Return the statuses, but those of refusals, that are documented for a deprecated operation."""
    method, target = line.split(" ", 2)[:2]
    spec = deployment.spec
    key = spec.operation_for(method, target) if spec is not None else None
    if spec is None or key is None:
        not_applicable("this server does not document the operation")
    operation = spec.operations[key]
    if not operation.is_deprecated:
        not_applicable("this server documents the operation, and not as deprecated")
    responses = spec.document["paths"][operation.path][method.lower()]["responses"]
    return [int(code) for code in responses if code.isdecimal() and int(code) not in {422, *NO_LONGER}]


def _send(stock: Stock, line: str) -> httpx.Response:
    method, target, *body = Template(line).substitute(stock).split(" ", 2)
    if body == ["FILE"]:
        return stock.upload(target)
    headers = {"Content-Type": "application/json"} if body else {}
    answer = stock.client.request(method, target, content=body[0] if body else None, headers=headers)
    if target.count("/") == 3 and target.endswith("/") and method != "GET" and answer.is_success:
        stock.note(target, answer.json())
    return answer
