"""Which model and embedding the agents of a run use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_letta.errors import TargetError

if TYPE_CHECKING:
    import httpx

#: What the scripted model calls itself, whatever prefix the server gives to its provider.
SCRIPTED_MODEL = "gpt-4o-mini"
SCRIPTED_EMBEDDING = "text-embedding-3-small"


@dataclass(frozen=True, slots=True)
class Handles:
    """Handles such as ``openai/gpt-4o-mini``; `embedding` is ``None`` where the server lists none.

    `llm_config` and `embedding_config` go in their place where the server cannot make an agent by them.
    """

    model: str
    embedding: str | None
    llm_config: Mapping[str, Any] | None = None
    embedding_config: Mapping[str, Any] | None = None

    def fields(self) -> dict[str, Any]:
        """Return the fields of a request that creates an agent."""
        model = {"model": self.model} if self.llm_config is None else {"llm_config": dict(self.llm_config)}
        return model | self.embedding_fields()

    def embedding_fields(self) -> dict[str, Any]:
        """Return the fields of a request that creates what has an embedding only, such as a folder."""
        if self.embedding_config is not None:
            return {"embedding_config": dict(self.embedding_config)}
        return {"embedding": self.embedding} if self.embedding else {}


def choose_handles(client: httpx.Client, *, model: str | None, embedding: str | None, is_scripted: bool) -> Handles:
    """Return the handles that were asked for, else the scripted model's, else the first of the server's.

    A server that lists configurations (up to Letta 0.12) takes those: it refuses the handles of a provider with an
    address of its own. Where it does not list the scripted embedding, that is described to it.
    Raises TargetError when the server lists no model at all: its provider is not configured, and no agent
    can be created (letta#2388).
    """
    listed = _pick(client, "/v1/models/", SCRIPTED_MODEL if is_scripted else None)
    if model is None and listed is None:
        raise TargetError(
            "the server lists no model at /v1/models/, so no agent can be created: configure a provider "
            "there (OPENAI_API_KEY, OPENAI_API_BASE, ...), or name one with --letta-model HANDLE."
        )
    wanted = SCRIPTED_EMBEDDING if is_scripted else None
    found = _pick(client, "/v1/models/embedding", wanted)
    handle = embedding or (str(found["handle"]) if found else None)
    if model is not None or listed is None or not _is_configuration(listed):
        return Handles(model or str((listed or {})["handle"]), handle)
    is_missing = is_scripted and embedding is None and not str(handle).endswith(f"/{SCRIPTED_EMBEDDING}")
    config = _scripted_embedding(str(listed["model_endpoint"])) if is_missing else None
    return Handles(str(listed["handle"]), None if is_missing else handle, listed, config)


def _is_configuration(listed: Mapping[str, Any]) -> bool:
    return "model_type" not in listed and {"model", "model_endpoint_type", "context_window"} <= set(listed)


def _scripted_embedding(endpoint: str) -> dict[str, Any]:
    return {
        "embedding_endpoint_type": "openai",
        "embedding_endpoint": endpoint,
        "embedding_model": SCRIPTED_EMBEDDING,
        "embedding_dim": 1536,
        "embedding_chunk_size": 300,
    }


def _pick(client: httpx.Client, path: str, preferred: str | None) -> dict[str, Any] | None:
    answer = client.get(path)
    if answer.status_code != 200:
        return None
    listed = [one for one in answer.json() if isinstance(one, dict) and one.get("handle")]
    if preferred is not None:
        listed = [one for one in listed if str(one["handle"]).endswith(f"/{preferred}")] or listed
    return min(listed, key=lambda one: _is_hosted_by_letta(str(one["handle"])), default=None)


def _is_hosted_by_letta(handle: str) -> bool:
    """Tell whether a handle names Letta's own free endpoints, which a server lists whether it reaches them or not."""
    return handle.startswith("letta/")
