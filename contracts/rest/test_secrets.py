"""Secrets and internals: what a server must keep to itself is in no answer, whether it says yes or no."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import status
from pytest_letta.telling import answered

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import AgentMaker
    from pytest_letta.handles import Handles
    from pytest_letta.llm import ModelControl
    from pytest_letta.ownership import Ledger

    from .asking import Ask

_SECRET = "pytest-letta-secret-0123456789"
#: Signs of what is inside: statements, drivers, traces, and the records of users as Python writes them.
_INSIDE = re.compile(
    r"Traceback \(most recent|File \"/|\.py\", line|sqlalchemy|asyncpg|psycopg|pg8000|\bSELECT .+ FROM\b"
    r"|\bINSERT INTO\b|\bUPDATE .+ SET\b|postgresql://|organization_id='|tzinfo="
)


@contract(
    "REST-SECRET-001",
    level="should",
    needs=["llm"],
    because="keys of providers are money; who may list providers is not who may spend",
)
def test_key_of_a_provider_is_not_given_back(ask: Ask, letta_llm: ModelControl, letta_ledger: Ledger) -> None:
    """The key of a provider is in no answer of the server: neither to its creation nor when it is read or listed."""
    name = letta_ledger.name()
    body = {"name": name, "provider_type": "openai", "api_key": _SECRET, "base_url": letta_llm.base_url}

    made = ask("POST", "/v1/providers/", body)
    must(status(made))

    for answer in (made, ask("GET", f"/v1/providers/{made.json()['id']}"), ask("GET", "/v1/providers/", name=name)):
        must(status(answer) or _shown(answer))


@contract("REST-SECRET-002", level="should", needs=["agents"], because="an exported agent is passed on to others")
def test_export_of_an_agent_has_no_secret(ask: Ask, make_letta_agent: AgentMaker) -> None:
    """The export of an agent has the names of its secrets and not their values."""
    agent = make_letta_agent(secrets={"PYTEST_LETTA_KEY": _SECRET})

    answer = ask("GET", f"{agent.path}/export")

    must(status(answer) or _shown(answer))


def _shown(answer: httpx.Response) -> str | None:
    if _SECRET not in answer.text:
        return None
    fields = [field for field, value in _leaves("", answer.json()) if _SECRET in str(value)]
    way = f"{answer.request.method} {answer.request.url.path}"
    return f"{way} gives the secret in clear, in {', '.join(fields)}"


def _leaves(place: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [leaf for key, one in value.items() for leaf in _leaves(f"{place}.{key}".lstrip("."), one)]
    if isinstance(value, list):
        return [leaf for one in value for leaf in _leaves(place, one)]
    return [(place, value)]


@pytest.mark.parametrize("case", ["unknown", "duplicate", "wrong-type", "nul", "route"])
@contract(
    "REST-SECRET-003", level="should", because="what is inside tells an attacker where to look, and a user nothing"
)
def test_refusal_shows_nothing_of_the_inside(
    ask: Ask, letta_client: httpx.Client, letta_handles: Handles, letta_ledger: Ledger, unknown: str, case: str
) -> None:
    """A refusal has no SQL, no trace, no name of a driver and no record of the caller."""
    folder = {"name": letta_ledger.name(), **letta_handles.embedding_fields()}
    if case == "duplicate":
        must(status(ask("POST", "/v1/folders/", folder)))
    answer = {
        "unknown": lambda: ask("GET", f"/v1/folders/source-{unknown}"),
        "duplicate": lambda: ask("POST", "/v1/folders/", folder),
        "wrong-type": lambda: ask("POST", "/v1/folders/", {"name": 5}),
        "nul": lambda: ask("POST", "/v1/folders/", {**folder, "name": "a\0b"}),
        "route": lambda: letta_client.get("/v1/no-such-route"),
    }[case]()

    must(None if answer.is_error else f"{answered(answer)} (expected a refusal)")
    found = _INSIDE.search(answer.text)
    must(f"the refusal shows {found[0]!r}: {answered(answer)}" if found else None)
