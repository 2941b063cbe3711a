"""docs/proxies.md tells the truth: real nginx before a healthy server breaks what the page says, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from killing import without_case
from nginx_before import nginx_before
from proxies_page import Broken, Mistake, broken_by, configuration, mistakes

from pytest_letta.conformance.contract import contract_of
from pytest_letta.stack.stack import Stack

_SUITES = ("network", "streaming")
MISTAKES = [pytest.param(*row, id=" ".join(row[0].directives)) for row in mistakes()]


class OnlyOfProxies:
    """A plugin of the inner run: contracts that no proxy can break are left out."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        stated = ((item, contract_of(item)) for item in items)
        items[:] = [item for item, one in stated if one and ("proxy" in one.needs or "[proxied" in one.id)]


def judge(pytester: pytest.Pytester, stack: Stack, server: str) -> dict[str, dict[str, Any]]:
    """Judge a proxy with this block ``server`` as its owner would, by the URLs alone; return the records by id."""
    with nginx_before(stack.url, server, pytester.mkdir("nginx")) as proxy_url:
        pytester.inline_run(
            *("-p", "no:schemathesis", "-p", "no:cacheprovider", "-p", "no:xdist", "-q"),
            *(f"--letta-url={stack.url}", f"--letta-proxy-url={proxy_url}", f"--letta-llm={stack.llm_url}"),
            *(f"--letta-suite={suite}" for suite in _SUITES),
            "--letta-report=report.json",
            plugins=[OnlyOfProxies()],
        )
    return {record["id"]: record for record in json.loads(Path("report.json").read_text())["contracts"]}


def assert_broken(records: dict[str, dict[str, Any]], told: list[Broken]) -> None:
    """The contracts that the page names fail, and no others, each with one of its cures in the finding."""
    failed = {id: record["cause"] for id, record in records.items() if record["verdict"] in {"fail", "error"}}
    cures = {id: one.cures for one in told for id in one.contracts}
    by_case = {id for id in failed if without_case(id) not in cures}

    assert {*by_case, *(without_case(id) for id in failed if id not in by_case)} == set(cures), failed
    unhelpful = {
        id: cause
        for id, cause in failed.items()
        if not any(cure in cause for cure in cures.get(id) or cures[without_case(id)])
    }
    assert unhelpful == {}


def test_the_stock_configuration_fails_what_the_page_says(pytester: pytest.Pytester, live_stack: Stack) -> None:
    assert_broken(judge(pytester, live_stack, configuration("stock")), broken_by("stock-fails"))


@pytest.mark.slow
def test_the_stock_configuration_streams_in_nginx_1_29_7_and_later(
    pytester: pytest.Pytester, live_stack: Stack
) -> None:
    server = Mistake(("no proxy_http_version",)).made_in(configuration("stock"))

    told = [one for one in broken_by("stock-fails") if one.contracts != ("SSE-ARRIVAL-002",)]
    assert_broken(judge(pytester, live_stack, server), told)


@pytest.mark.slow
def test_the_bare_configuration_fails_what_the_page_says(pytester: pytest.Pytester, live_stack: Stack) -> None:
    assert_broken(judge(pytester, live_stack, configuration("bare")), broken_by("bare-fails"))


@pytest.mark.slow
def test_the_recommended_configuration_fails_nothing(pytester: pytest.Pytester, live_stack: Stack) -> None:
    assert_broken(judge(pytester, live_stack, configuration("recommended")), [])


@pytest.mark.slow
@pytest.mark.parametrize(("mistake", "broken"), MISTAKES)
def test_a_mistake_fails_what_the_page_says(
    pytester: pytest.Pytester, live_stack: Stack, mistake: Mistake, broken: Broken
) -> None:
    server = mistake.made_in(configuration("recommended"))

    assert_broken(judge(pytester, live_stack, server), [broken])
