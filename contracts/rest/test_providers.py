"""Providers of models: their settings are tried before they are kept, and what they offer is listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, echoed, equal, refused, status

if TYPE_CHECKING:
    from pytest_letta.llm import ModelControl
    from pytest_letta.ownership import Ledger

    from .asking import Ask

_NEEDS = ["llm"]
#: Nobody listens there: the discard port.
_NOWHERE = "http://127.0.0.1:9/v1"


def _settings(base_url: str) -> dict[str, Any]:
    return {"provider_type": "openai", "api_key": "pytest-letta-key", "base_url": base_url}


@pytest.fixture
def provider(ask: Ask, letta_llm: ModelControl, letta_ledger: Ledger) -> dict[str, Any]:
    """A provider of our own that leads to the scripted model."""
    answer = ask("POST", "/v1/providers/", {"name": letta_ledger.name(), **_settings(letta_llm.base_url)})
    must(status(answer))
    return dict(answer.json())


def _models(ask: Ask, provider: dict[str, Any]) -> list[str]:
    answer = ask("GET", "/v1/models/", provider_name=provider["name"])
    must(status(answer))
    return [str(one["handle"]).partition("/")[2] for one in answer.json()]


@contract("REST-PROVIDERS-001", needs=_NEEDS, because="a key with a typing mistake is found before agents rely on it")
def test_settings_of_a_provider_are_tried(ask: Ask, letta_llm: ModelControl) -> None:
    """Settings that lead to a server of models are found good."""
    must(status(ask("POST", "/v1/providers/check", _settings(letta_llm.base_url))))


@contract("REST-PROVIDERS-002", needs=_NEEDS, because="a wrong address is a mistake of the user, who can mend it")
def test_settings_that_lead_nowhere_are_refused(ask: Ask) -> None:
    """Settings that lead to no server of models are refused, or answered with 502; it is no error of Letta's own."""
    must(refused(ask("POST", "/v1/providers/check", _settings(_NOWHERE)), 400, 401, 422, 424, 502))


@contract(
    "REST-PROVIDERS-003", needs=_NEEDS, because="a provider that is kept is looked at again when its key changes"
)
def test_provider_is_tried_and_refreshed(ask: Ask, provider: dict[str, Any]) -> None:
    """A provider that was kept is found good, and can be refreshed, which leaves its settings as they are."""
    path = f"/v1/providers/{provider['id']}"

    must(status(ask("POST", f"{path}/check")))
    refreshed = ask("PATCH", f"{path}/refresh")

    told = {key: provider[key] for key in ("id", "name", "provider_type", "base_url")}
    must(status(refreshed) or echoed(told, refreshed.json(), "the refreshed provider"))


@contract(
    "REST-PROVIDERS-004", needs=_NEEDS, because="a provider without models is of no use, and nobody is told why"
)
def test_models_of_a_provider_are_listed(ask: Ask, provider: dict[str, Any], letta_llm: ModelControl) -> None:
    """The models of a provider are listed under its name, also after one of the same address was deleted."""
    _models(ask, provider)
    must(status(ask("DELETE", f"/v1/providers/{provider['id']}"), 200, 204))
    settings = {"name": f"{provider['name']}-again", **_settings(letta_llm.base_url)}
    again = ask("POST", "/v1/providers/", settings)
    must(status(again))

    must(contains(_models(ask, again.json()), "gpt-4o-mini", "models of the provider"))
    must(equal([], _models(ask, provider), "models of the provider that was deleted"))
