"""Handles are chosen from what a server lists, and configurations where it takes only those."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from pytest_letta.errors import TargetError
from pytest_letta.handles import Handles, choose_handles

#: As Letta 0.16.8 and 0.11.7 list them, with the fields that matter.
MODEL = {"handle": "openai-proxy/gpt-4o-mini", "model_type": "llm", "model_endpoint": "http://llm/v1"}
CONFIG = {
    "handle": "openai-proxy/gpt-4o-mini",
    "model": "gpt-4o-mini",
    "model_endpoint_type": "openai",
    "model_endpoint": "http://llm/v1",
    "context_window": 128000,
}
FREE = {"handle": "letta/letta-free"}
EMBEDDING = {"handle": "openai/text-embedding-3-small"}


def chosen(models: list[Any], embeddings: list[Any], **asked: Any) -> Handles:
    listed = {"/v1/models/": models, "/v1/models/embedding": embeddings}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=listed[request.url.path]))
    with httpx.Client(transport=transport, base_url="http://letta") as client:
        return choose_handles(client, **{"model": None, "embedding": None, "is_scripted": True, **asked})


def test_scripted_model_and_embedding_are_chosen_by_handle() -> None:
    handles = chosen([FREE, MODEL], [FREE, EMBEDDING])

    assert handles.fields() == {"model": MODEL["handle"], "embedding": EMBEDDING["handle"]}


def test_configurations_are_sent_where_the_server_lists_those() -> None:
    handles = chosen([FREE, CONFIG], [FREE])

    assert (handles.model, handles.embedding) == (CONFIG["handle"], None)
    assert handles.fields()["llm_config"] == CONFIG
    assert handles.embedding_fields()["embedding_config"]["embedding_endpoint"] == "http://llm/v1"


def test_listed_embedding_is_sent_with_a_configuration_of_a_model() -> None:
    handles = chosen([CONFIG], [EMBEDDING], is_scripted=False)

    assert handles.fields() == {"llm_config": CONFIG, "embedding": EMBEDDING["handle"]}


def test_what_was_asked_for_is_sent_as_it_is() -> None:
    handles = chosen([CONFIG], [FREE], model="a/b", embedding="c/d")

    assert handles.fields() == {"model": "a/b", "embedding": "c/d"}


def test_server_without_models_is_told() -> None:
    with pytest.raises(TargetError, match="lists no model"):
        chosen([], [])
