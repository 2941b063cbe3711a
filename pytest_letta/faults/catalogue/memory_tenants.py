"""Faults of users who are taken for others: part of the memory suite's catalogue."""

from __future__ import annotations

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.fault import CataloguedFault, Match, together
from pytest_letta.faults.net import drop_request_header
from pytest_letta.faults.rest import change_status
from pytest_letta.faults.tenants import do_as_default, number_ids, stick_to_user

# Without those that Letta 0.16.8 fails by itself: no fault can show that they are able to fail.
_READS = (
    "agent context core-memory blocks-of-agent block-by-label messages-of-agent search-of-agent tools-of-agent "
    "folders-of-agent block message run messages-of-run steps-of-run step conversation archive tool folder "
    "folder-by-name agents-of-folder search-by-agent search-by-archive"
)
_OTHER_READS = (
    "passages-of-agent export-of-agent agents-of-block messages-of-step messages-of-conversation agents-of-archive "
    "default-conversation conversation-by-agent"
)
_CHANGES = (
    "update-agent delete-agent edit-block-by-label detach-block detach-tool approve-tool run-tool detach-folder "
    "detach-archive insert-passage delete-passage delete-passage-as-of-mine send-message send-stream send-async "
    "chat-completion reset-messages edit-block delete-block update-tool update-folder delete-folder update-archive "
    "delete-archive insert-into-archive delete-from-archive start-conversation update-conversation "
    "delete-conversation fork-conversation send-to-conversation send-to-default-conversation"
)
_FILTERED = (
    "agents-by-name agents-by-tag agents-by-text blocks-by-label blocks-by-value tools-by-name folders-by-name "
    "archives-of-agent conversations-of-agent runs-of-agent passages"
)
_WHOLE = "agents agents-counted archives blocks blocks-counted conversations folders folders-counted runs tags"
_TAKES = "take-block take-tool take-folder take-archive"
_GIFTS = "give-block give-tool"

_ATTACH = Match("PATCH", "/(blocks|tools|folders|archives)/attach/")
# By what they make the users tell who they are: that is left alone.
_POSTS = Match("POST", r"^/v1/(?!admin/|agents/$|tools/$|passages/search$)")

TENANTS = (
    CataloguedFault(
        name="strangers-read-as-default-user",
        kills=(
            *cases("MEM-TENANT-001", f"{_READS} {_OTHER_READS}"),
            *cases("MEM-TENANT-004", _FILTERED),
            *cases("MEM-TENANT-005", _WHOLE),
            *cases("MEM-TENANT-007", "malformed empty"),
        ),
        reason=r"shows of another organization: \w+|shows \d+ to a new organization",
        make=lambda: together(
            drop_request_header("user_id", on=Match("GET")),
            drop_request_header("user_id", on=Match("POST", "^/v1/passages/search$")),
        ),
    ),
    CataloguedFault(
        name="strangers-write-as-default-user",
        kills=cases("MEM-TENANT-002", f"{_CHANGES} delete-tool tool-of-the-same-name"),
        reason=r"what its owner sees has changed at|shows of another organization: \w+",
        make=lambda: together(
            drop_request_header("user_id", on=Match("PATCH|PUT|DELETE")),
            drop_request_header("user_id", on=_POSTS),
        ),
    ),
    CataloguedFault(
        name="refusals-are-for-another-reason",
        kills=cases("MEM-TENANT-003", f"{_READS} {_CHANGES} {_TAKES} {_GIFTS}"),
        reason=r"answered 400.*\(expected 401 or 403 or 404\)",
        make=lambda: change_status(400, only=404),
    ),
    CataloguedFault(
        name="attachments-cross-organizations",
        kills=cases("MEM-TENANT-002", _TAKES),
        reason=r"shows of another organization: \w+",
        make=lambda: do_as_default("GET", ".*/(blocks|tools|folders|archives)/attach/", r"/v1/\1/", on=_ATTACH),
    ),
    CataloguedFault(
        name="gifts-cross-organizations",
        kills=cases("MEM-TENANT-002", _GIFTS),
        reason="what its owner sees has changed at /v1/agents/",
        make=lambda: do_as_default("PATCH", "(/v1/agents/[^/]+)/.*", r"\1", {"description": "Given."}, on=_ATTACH),
    ),
    CataloguedFault(
        name="agents-are-made-as-default-user",
        kills=cases("MEM-TENANT-006", "create-tool_ids"),
        reason=r"POST /v1/agents/ answered 200 and shows of another organization: \w+",
        make=lambda: drop_request_header("user_id", on=Match("POST", "^/v1/agents/$")),
    ),
    CataloguedFault(
        name="updates-show-what-is-named",
        kills=cases("MEM-TENANT-006", "update-message_ids"),
        reason=r"PATCH /v1/agents/.* answered 200 and shows of another organization: \w+",
        make=lambda: do_as_default("GET", ".+", "/v1/messages/", on=Match("PATCH", "^/v1/agents/[^/]+$")),
    ),
    CataloguedFault(
        name="gateway-keeps-the-user",
        kills=("MEM-TENANT-008",),
        reason=r"GET /v1/agents/.* answered 200 and shows of another organization: \w+",
        make=lambda: stick_to_user(on=Match("GET")),
    ),
    CataloguedFault(
        name="ids-are-counted-up",
        kills=cases("MEM-TENANT-009", "agents blocks tools"),
        reason=r"made one after the other are \S+ and \S+: [12] characters differ",
        make=lambda: number_ids(on=Match("POST", "^/v1/(agents|blocks|tools)/$")),
    ),
)
