"""Which model and embedding the agents of a run use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_letta.errors import TargetError

if TYPE_CHECKING:
    import httpx

#: What the scripted model calls itself, whatever prefix the server gives to its provider.
SCRIPTED_MODEL = "gpt-4o-mini"
SCRIPTED_EMBEDDING = "text-embedding-3-small"


@dataclass(frozen=True, slots=True)
class Handles:
    """Handles such as ``openai/gpt-4o-mini``; `embedding` is ``None`` where the server lists none."""

    model: str
    embedding: str | None

    def fields(self) -> dict[str, str]:
        """Return the fields of a request that creates an agent."""
        return {"model": self.model} | ({"embedding": self.embedding} if self.embedding else {})


def choose_handles(client: httpx.Client, *, model: str | None, embedding: str | None, is_scripted: bool) -> Handles:
    """Return the handles that were asked for, else the scripted model's, else the first of the server's.

    Raises TargetError when the server lists no model at all: its provider is not configured, and no agent
    can be created (letta#2388).
    """
    chosen = model or _pick(client, "/v1/models/", SCRIPTED_MODEL if is_scripted else None)
    if chosen is None:
        raise TargetError(
            "the server lists no model at /v1/models/, so no agent can be created: configure a provider "
            "there (OPENAI_API_KEY, OPENAI_API_BASE, ...), or name one with --letta-model HANDLE."
        )
    wanted = SCRIPTED_EMBEDDING if is_scripted else None
    return Handles(chosen, embedding or _pick(client, "/v1/models/embedding", wanted))


def _pick(client: httpx.Client, path: str, preferred: str | None) -> str | None:
    answer = client.get(path)
    if answer.status_code != 200:
        return None
    handles = [str(one["handle"]) for one in answer.json() if isinstance(one, dict) and one.get("handle")]
    if preferred is not None:
        handles = [handle for handle in handles if handle.endswith(f"/{preferred}")] or handles
    return min(handles, key=_is_hosted_by_letta, default=None)


def _is_hosted_by_letta(handle: str) -> bool:
    """Tell whether a handle names Letta's own free endpoints, which a server lists whether it reaches them or not."""
    return handle.startswith("letta/")
