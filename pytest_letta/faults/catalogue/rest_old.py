"""Faults of what replaces old calls, and of deprecated operations: part of the REST suite's catalogue."""

from __future__ import annotations

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.fault import CataloguedFault, Match, together
from pytest_letta.faults.rest import change_status, replace_body, set_response_field
from pytest_letta.faults.surface import rewrite_query

_REPLACED = (
    "agent-memory agent-memory-block agent-memory-edit agent-core_memory agent-memory-stats archival-list "
    "archival_memory archival-insert message-of-memgpt attach-block attach-tool new-agent-llm health api-agents "
    "api-memory-stats"
)

_DEPRECATED = (
    "source-count source source-update source-delete source-by-name sources source-create source-upload "
    "source-agents source-passages source-files source-file source-file-delete folder-by-name agent-context "
    "agent-source-attach agent-source-detach agent-sources agent-core-memory agent-recompile agent-message-update "
    "agent-stream groups group-create group-count group group-update group-delete group-messages group-reset "
    "group-block-attach group-block-detach identities identity-create identity-upsert identity-count identity "
    "identity-update identity-delete identity-properties identity-agents identity-blocks active-jobs active-runs "
    "telemetry voice"
)
_DEPRECATED_ROUTES = (
    r"^/v1/(sources|groups|identities|telemetry|voice-beta)/|/(folders/name/|jobs/active$|runs/active$)"
    r"|/agents/agent-[^/]+/(context|sources|core-memory$|system-prompt|messages/)"
)

OF_OLD_CALLS = (
    CataloguedFault(
        name="nothing-in-place-of-old-calls",
        kills=cases("REST-OLD-002", _REPLACED),
        reason="^answer to .* does not contain",
        make=lambda: together(
            replace_body(b"{}", on=Match("GET|PATCH", "/(core-memory|archival-memory|context|attach)")),
            replace_body(b"{}", on=Match("POST", "/messages$")),
            replace_body(b"{}", on=Match("GET", "/v1/agents/$")),
            set_response_field("0.text", "Lost.", on=Match("POST", "/archival-memory$")),
            set_response_field("name", "Lost.", on=Match("POST", "/v1/agents/$")),
            set_response_field("status", "up", on=Match("GET", "/v1/health/$")),
        ),
    ),
    CataloguedFault(
        name="queries-in-place-of-old-ones-ignored",
        kills=cases("REST-OLD-002", "archival-query archival-memory-query"),
        reason="^answer to .* still contains Concrete",
        make=lambda: rewrite_query(r"(search|top_k)=[^&]*&?", "", on=Match("GET", "/archival-memory")),
    ),
    CataloguedFault(
        name="deprecated-operations-crash",
        kills=cases("REST-DEPRECATED-001", _DEPRECATED),
        reason="answered 500",
        make=lambda: change_status(500, on=Match(path=_DEPRECATED_ROUTES)),
    ),
)
