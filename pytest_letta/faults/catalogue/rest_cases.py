"""Cases of the REST suite's tables, by the contracts that they belong to: part of its catalogue.

Without those that Letta 0.16.8 fails by itself: no fault can show that they are able to fail.
"""

from __future__ import annotations

from pytest_letta.faults.catalogue.cases import cases

NEW_AGENT = cases("REST-AGENTS-001", "texts metadata timezone autoclear agent-type files")
UPDATES = cases("REST-UPDATE-001", "name description system metadata timezone autoclear max-files")
BLOCK_FIELDS = "value empty-value limit description metadata read-only"

BELOW_UNKNOWN_AGENT = cases(
    "REST-UNKNOWN-002",
    "messages send-message send-stream send-async reset-messages context core-memory blocks block edit-block "
    "attach-block insert-passage search-passages tools attach-tool folders",
)
UNKNOWN_PARTS = cases(
    "REST-UNKNOWN-003",
    "edit-block-by-label read-block-by-label attach-block detach-block attach-tool run-tool attach-folder "
    "delete-passage page-of-messages",
)
UNKNOWN_ELSEWHERE = cases(
    "REST-UNKNOWN-004",
    "block delete-block message run messages-of-run conversation tool archive folder step agents-of-folder source "
    "agents-of-source group delete-group messages-of-group identity delete-identity agents-of-identity "
    "blocks-of-identity provider delete-provider delete-archive delete-folder delete-conversation",
)

MALFORMED = (
    *cases(
        "REST-MALFORMED-001",
        "agent update-agent delete-agent messages-of-agent blocks-of-agent passages-of-agent block delete-block "
        "message run conversation tool archive folder",
    ),
    *cases(
        "REST-MALFORMED-002",
        "name-number name-null system-list description-number metadata-text tags-text tag-number tools-text tool-id "
        "block-id blocks-object block-without-label block-value-number agent-type context-window-text model-number",
    ),
    *cases(
        "REST-MALFORMED-003",
        "update-name-number update-tags-text edit-block-number edit-block-limit block-without-label "
        "block-value-number block-limit-text passage-without-text passage-tags-text passage-date messages-missing "
        "messages-text message-role message-without-content max-steps-text agents-limit agents-order blocks-limit "
        "messages-limit search-without-query",
    ),
    *cases("REST-MALFORMED-004", "no-body cut list text null form not-utf-8"),
    "REST-MALFORMED-005",
)

_WALKED = ("agents", "blocks", "agent-blocks", "archives", "conversations", "messages", "passages")
WALKS = tuple(f"REST-PAGES-001[{end}-{kind}]" for end in ("oldest-first", "newest-first") for kind in _WALKED)
LIMITED = "agents blocks agent-blocks archives conversations messages passages runs"

HOSTILE = (
    *cases(
        "REST-INPUT-001",
        "agents-limit-over-32-bits agents-name-sql agents-name-long blocks-label-nul runs-limit-negative "
        "block-label-nul block-label-not-utf-8 search-query-nul",
    ),
    *cases(
        "REST-INPUT-002",
        "name-lone-surrogate name-empty name-long metadata-nul context-window-negative context-window-over-64-bits "
        "block-value-nul tool-unknown tool-id-unknown model-empty model-without-provider embedding-unknown "
        "model-missing",
    ),
    *cases(
        "REST-INPUT-003",
        "agent-tool-unknown edit-value-nul block-value-nul passage-nul passage-lone-surrogate passage-long "
        "passage-of-year-1 tool-source-broken tool-source-nul",
    ),
    *cases("REST-INPUT-004", "nul lone-surrogate empty none no-parts image-of-file no-approval-awaited otid-nul"),
)
