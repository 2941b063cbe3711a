"""Faults of what hangs on what, and of organizations beside each other: part of the REST suite's catalogue."""

from __future__ import annotations

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.fault import CataloguedFault, Match
from pytest_letta.faults.net import drop_request_header
from pytest_letta.faults.surface import forget_first_deletion
from pytest_letta.faults.writes import serve_stale, swallow_write

_ENDS = "agents|archives|blocks|folders|groups|identities|sources"
_OF_OTHERS = "groups|identities|providers|sources|folders|archives"

_APART = "groups identities providers sources"
_ATTACHED = "archive-agent block-agent folder-agent identity-agent identity-block source-agent"
#: Without the group whose agent is gone, which Letta 0.16.8 names by itself.
_ENDS_GONE = (
    "archive-agent-without-agent archive-agent-without-archive block-agent-without-agent block-agent-without-block "
    "folder-agent-without-agent folder-agent-without-folder group-agent-without-group identity-agent-without-agent "
    "identity-agent-without-identity identity-block-without-block source-agent-without-agent "
    "source-agent-without-source"
)
_UNKNOWN = "identity-to-agent archive-to-agent source-to-agent identity-to-block identity-to-unknown-block"

OF_RELATIONS = (
    CataloguedFault(
        name="attachments-acknowledged-but-dropped",
        kills=(*cases("REST-RELATION-001", _ATTACHED), *cases("REST-RELATION-003", _UNKNOWN)),
        reason="after the attachment: 1 missing|answered 200.*expected 404",
        make=lambda: swallow_write(on=Match("PATCH", "/attach/")),
    ),
    CataloguedFault(
        name="detachments-acknowledged-but-dropped",
        kills=cases("REST-RELATION-001", _ATTACHED),
        reason="after the detachment: 0 missing .* 1 unexpected",
        make=lambda: swallow_write(on=Match("PATCH", "/detach/")),
    ),
    CataloguedFault(
        name="deletions-of-ends-forgotten",
        kills=cases("REST-RELATION-002", _ENDS_GONE),
        reason="still names .* which is deleted",
        make=lambda: forget_first_deletion(on=Match("DELETE", f"^/v1/({_ENDS})/[^/]+$")),
    ),
    CataloguedFault(
        name="members-are-old",
        kills=cases("REST-RELATION-001", "group-agent"),
        reason="after the attachment: 1 missing",
        make=lambda: serve_stale(on=Match("GET", "/groups(/[^/]+)?$")),
    ),
    CataloguedFault(
        name="tags-and-counts-are-old",
        kills=("REST-TAGS-001", *cases("REST-COUNT-001", "folders groups identities sources tools")),
        reason="after the last agent that had it is gone|^count, against the length of the list",
        make=lambda: serve_stale(on=Match("GET", "/tags/$|/count$")),
    ),
)

OF_TENANTS = (
    CataloguedFault(
        name="strangers-see-what-the-default-user-has",
        kills=(
            *cases("REST-TENANT-001", _APART),
            *cases("REST-TENANT-002", _APART),
            *cases("REST-TENANT-003", "archives folders identities providers tools"),
        ),
        reason="^GET .* answered 200|still contains|^what (is found|the other finds) by the name",
        make=lambda: drop_request_header("user_id", on=Match("GET")),
    ),
    CataloguedFault(
        name="strangers-change-what-the-default-user-has",
        kills=cases("REST-TENANT-001", _APART),
        reason="(PATCH|DELETE) .* answered 200.*expected 404",
        make=lambda: drop_request_header("user_id", on=Match("PATCH|DELETE")),
    ),
    CataloguedFault(
        name="names-are-for-one-organization",
        kills=cases("REST-TENANT-003", "folders identities providers archives"),
        reason="POST .* answered 409|^what is found by the name: .* got",
        make=lambda: drop_request_header("user_id", on=Match("POST", f"^/v1/({_OF_OTHERS})/$")),
    ),
)
