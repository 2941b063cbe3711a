"""What a server says of itself: its specification and its models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, no_repeats, refused, status

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import AgentMaker
    from pytest_letta.handles import Handles
    from pytest_letta.ownership import Ledger


@contract(
    "REST-SPEC-001",
    because="an image that was exchanged under its clients shows as another version: letta-ai/letta-code#586",
)
def test_specification_is_that_of_the_running_version(letta_client: httpx.Client) -> None:
    """GET /openapi.json gives an OpenAPI document with paths, and its version is the one that health tells."""
    answer = letta_client.get("/openapi.json")

    must(status(answer))
    spec = answer.json()
    must(contains(spec, "openapi", "openapi.json"))
    must(equal(True, bool(spec.get("paths")), "openapi.json has paths"))
    told = letta_client.get("/v1/health/")
    must(status(told) or equal(told.json().get("version"), spec.get("info", {}).get("version"), "info.version"))


@pytest.mark.parametrize(
    "path", [pytest.param("/v1/models/", id="llm"), pytest.param("/v1/models/embedding", id="embedding")]
)
@contract(
    "REST-MODELS-001",
    because="a wrong provider URL lists no model, and no agent can be made: letta-ai/letta#2388, #2772",
)
def test_models_are_listed_each_by_a_handle_of_its_own(letta_client: httpx.Client, path: str) -> None:
    """The server lists at least one model, each with a handle of the form provider/model, none twice."""
    answer = letta_client.get(path)

    must(status(answer))
    handles = [str(model.get("handle")) for model in answer.json()]
    must(equal(True, bool(handles), f"{path} lists a model"))
    must(
        equal(
            [], [handle for handle in handles if "/" not in handle], f"handles of {path} that are not provider/model"
        )
    )
    must(no_repeats(handles, f"handles of {path}"))


@contract(
    "REST-MODELS-002",
    needs=["agents"],
    because="the handle is how every client names its model: letta-ai/letta#2388",
)
def test_agent_is_made_with_the_handle_that_the_list_gave(
    letta_handles: Handles, make_letta_agent: AgentMaker
) -> None:
    """An agent is made with a listed model and embedding handle, and says that it has these."""
    agent = make_letta_agent(model=letta_handles.model, llm_config=None)

    config = agent.state.get("llm_config") or {}
    must(equal(letta_handles.model, config.get("handle"), "handle of the model of the new agent"))
    if letta_handles.embedding is not None:
        config = agent.state.get("embedding_config") or {}
        must(equal(letta_handles.embedding, config.get("handle"), "handle of the embedding of the new agent"))


@contract(
    "REST-MODELS-003",
    needs=["agents"],
    because="'must be one of []' tells an operator what is wrong, a 500 does not: letta-ai/letta#2388",
)
def test_unknown_model_is_refused_by_its_name(letta_client: httpx.Client, letta_ledger: Ledger) -> None:
    """Making an agent with a model that does not exist is refused with a text that names the handle."""
    body = {"name": letta_ledger.name(), "tags": letta_ledger.tags, "model": "no-such-provider/no-such-model"}
    answer = letta_client.post("/v1/agents/", json=body)
    if answer.is_success:
        letta_ledger.enter(f"/v1/agents/{answer.json()['id']}")

    # 404 for the handle; 400 where the server holds that the request names a provider which it does not have.
    must(refused(answer, 400, 404, naming="no-such-provider/no-such-model"))
