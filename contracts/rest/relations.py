"""What can hang on what, and where each end shows the other: the table of the contracts about relations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: A path to PATCH and the body, as text in which ``{agent}`` and the like stand for ids.
Patch = tuple[str, Any]


@dataclass(frozen=True)
class Relation:
    """Two ends by their kinds, how they are attached and detached, and the paths that show the other end of each.

    Of a document in place of a list, `field` has the ids.
    """

    attach: Patch
    detach: Patch
    shows: Mapping[str, tuple[str, ...]]
    needs: tuple[str, ...] = ("agents",)
    field: str = ""

    @property
    def ends(self) -> tuple[str, str]:
        one, other = self.shows
        return one, other


def _by_path(attach: str, shows: Mapping[str, tuple[str, ...]], *needs: str, field: str = "") -> Relation:
    detach = attach.replace("/attach/", "/detach/")
    return Relation((attach, None), (detach, None), shows, ("agents", *needs), field)


_A = "/v1/agents/{agent}"
_GROUP = "/v1/groups/{group}"

#: Ends that are made with an embedding.
EMBEDDED = ("archive", "folder", "source")
#: What an end is made by: the list to POST to, and the body. ``{name}`` is a name of ours.
ENDS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "archive": ("/v1/archives/", {"name": "{name}"}),
    "block": ("/v1/blocks/", {"label": "{name}", "value": "x"}),
    "folder": ("/v1/folders/", {"name": "{name}"}),
    "group": ("/v1/groups/", {"agent_ids": ["{other}"], "description": "Who talks."}),
    "identity": ("/v1/identities/", {"identifier_key": "{name}", "name": "Zo\u00eb", "identity_type": "user"}),
    "source": ("/v1/sources/", {"name": "{name}"}),
}

RELATIONS: Mapping[str, Relation] = {
    "identity-agent": _by_path(
        f"{_A}/identities/attach/{{identity}}",
        {"identity": ("/v1/identities/{identity}/agents", "/v1/agents/?identity_id={identity}"), "agent": (_A,)},
        field="identity_ids",
    ),
    "identity-block": _by_path(
        "/v1/blocks/{block}/identities/attach/{identity}",
        {"identity": ("/v1/identities/{identity}/blocks", "/v1/blocks/?identity_id={identity}"), "block": ()},
    ),
    "block-agent": _by_path(
        f"{_A}/core-memory/blocks/attach/{{block}}",
        {"block": ("/v1/blocks/{block}/agents",), "agent": (f"{_A}/core-memory/blocks",)},
        "core_memory",
    ),
    "archive-agent": _by_path(
        f"{_A}/archives/attach/{{archive}}",
        {"archive": ("/v1/archives/{archive}/agents",), "agent": ("/v1/archives/?agent_id={agent}",)},
        "archives",
    ),
    "folder-agent": _by_path(
        f"{_A}/folders/attach/{{folder}}",
        {"folder": ("/v1/folders/{folder}/agents",), "agent": (f"{_A}/folders",)},
        "folders",
    ),
    "source-agent": _by_path(
        f"{_A}/sources/attach/{{source}}",
        {"source": ("/v1/sources/{source}/agents",), "agent": (f"{_A}/sources",)},
    ),
    "group-agent": Relation(
        (_GROUP, {"agent_ids": ["{other}", "{agent}"]}),
        (_GROUP, {"agent_ids": ["{other}"]}),
        {"group": (_GROUP,), "agent": (f"{_A}/groups",)},
        field="agent_ids",
    ),
}
