"""Faults that break the promises of the REST suite, each by its own reason."""

from __future__ import annotations

from pytest_letta.faults.catalogue import rest_files, rest_mcp, rest_runs, rest_tools
from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.catalogue.rest_blocks import OF_BLOCKS
from pytest_letta.faults.catalogue.rest_cases import NEW_AGENT, UPDATES
from pytest_letta.faults.catalogue.rest_conversations import OF_ARCHIVES, OF_CONVERSATIONS, OF_LINKS, OF_SHAPES
from pytest_letta.faults.catalogue.rest_fuzz import OF_BAD_INPUT
from pytest_letta.faults.catalogue.rest_old import OF_OLD_CALLS
from pytest_letta.faults.catalogue.rest_providers import OF_PROVIDERS
from pytest_letta.faults.catalogue.rest_refusals import OF_PAGES, OF_REFUSALS
from pytest_letta.faults.catalogue.rest_relations import OF_RELATIONS, OF_TENANTS
from pytest_letta.faults.catalogue.rest_resources import OF_RESOURCES
from pytest_letta.faults.catalogue.rest_sdk import OF_CLIENTS
from pytest_letta.faults.catalogue.rest_users import OF_IDENTITIES, OF_SECRETS, OF_USERS
from pytest_letta.faults.fault import CataloguedFault, Match, together
from pytest_letta.faults.rest import (
    change_status,
    drop_request_field,
    duplicate_list_item,
    rename_request_field,
    set_request_field,
    set_response_field,
)
from pytest_letta.faults.surface import forget_first_deletion, rewrite_query
from pytest_letta.faults.writes import swallow_write

_AGENT = r"/agents/agent-[^/]+$"
_NEW_AGENT = Match("POST", "/agents/$")
_AGENTS = Match("GET", "/agents/$")
_OF_DISCOVERY = (
    CataloguedFault(
        name="health-degraded",
        kills=("REST-HEALTH-001",),
        reason="^status: expected ok, got degraded",
        make=lambda: set_response_field("status", "degraded", on=Match("GET", "/health/$")),
    ),
    CataloguedFault(
        name="data-route-down",
        kills=("REST-HEALTH-002",),
        reason="GET /v1/agents/.* answered 500",
        make=lambda: change_status(500, on=_AGENTS),
    ),
    CataloguedFault(
        name="specification-of-another-version",
        kills=("REST-SPEC-001",),
        reason="^info.version: expected .*, got 0.0.1",
        make=lambda: set_response_field("info.version", "0.0.1", on=Match("GET", "/openapi.json$")),
    ),
    CataloguedFault(
        name="model-listed-twice",
        kills=cases("REST-MODELS-001", "llm embedding"),
        reason="^handles of /v1/models/.* repeats",
        make=lambda: duplicate_list_item(on=Match("GET", "/models/")),
    ),
    CataloguedFault(
        name="model-replaced",
        kills=("REST-MODELS-002",),
        reason="^handle of the model of the new agent: expected .*, got other/model",
        make=lambda: set_response_field("llm_config.handle", "other/model", on=_NEW_AGENT),
    ),
    CataloguedFault(
        name="unknown-model-crashes",
        kills=("REST-MODELS-003",),
        reason="POST /v1/agents/ answered 500.*expected 400 or 404",
        make=lambda: change_status(500, only=404, on=_NEW_AGENT),
    ),
)

_OF_NEW_AGENTS = (
    CataloguedFault(
        name="fields-dropped",
        kills=NEW_AGENT,
        reason="^the new agent does not give back what was sent",
        make=lambda: together(
            *(
                drop_request_field(field, on=_NEW_AGENT)
                for field in (
                    *("description", "metadata", "timezone", "message_buffer_autoclear", "agent_type"),
                    "max_files_open",
                )
            )
        ),
    ),
    CataloguedFault(
        name="tag-lost",
        kills=("REST-AGENTS-002",),
        reason="^tags of the new agent: 1 missing",
        make=lambda: drop_request_field("tags.0", on=_NEW_AGENT),
    ),
    CataloguedFault(
        # What a client does that restores a backup under the name of an older version.
        name="blocks-under-another-name",
        kills=cases("REST-AGENTS-003", "value limit description read_only"),
        reason="by label in the new agent .* is missing",
        make=lambda: rename_request_field("memory_blocks", "blocks", on=_NEW_AGENT),
    ),
    CataloguedFault(
        name="block-ids-lost",
        kills=("REST-AGENTS-004",),
        reason="^blocks of the new agent: 2 missing",
        make=lambda: drop_request_field("block_ids", on=_NEW_AGENT),
    ),
    CataloguedFault(
        name="tools-forced-on",
        kills=("REST-AGENTS-005",),
        reason="^tools of the new agent: 0 missing .* unexpected",
        make=lambda: set_request_field("include_base_tools", True, on=_NEW_AGENT),
    ),
    CataloguedFault(
        name="context-window-lost",
        kills=("REST-AGENTS-006",),
        reason="^context window of the new agent: expected 16123",
        make=lambda: drop_request_field("context_window_limit", on=_NEW_AGENT),
    ),
    CataloguedFault(
        name="another-agent-read",
        kills=("REST-AGENTS-007",),
        reason="^reading the new agent changed what was not asked for: created_at",
        make=lambda: set_response_field("created_at", "2020-01-01T00:00:00Z", on=Match("GET", _AGENT)),
    ),
)

_OF_FILTERS = (
    CataloguedFault(
        name="tags-taken-for-the-tag-of-the-run",
        kills=(*cases("REST-FILTER-001", "one-tag all-of-two-tags unknown-tag"), "REST-FILTER-003"),
        reason="^(agents listed by .* unexpected|count of agents)",
        make=lambda: rewrite_query(r"(tags=pytest-letta-[0-9a-f]{8})-[^&]*", r"\1", on=_AGENTS),
    ),
    CataloguedFault(
        name="any-tag-taken-for-all-tags",
        kills=(*cases("REST-FILTER-001", "any-of-two-tags"), "REST-FILTER-003"),
        reason="^(agents listed by .* 2 missing|count of agents)",
        make=lambda: rewrite_query("$", "&match_all_tags=true", on=_AGENTS),
    ),
    CataloguedFault(
        name="name-taken-for-a-part-of-it",
        kills=cases("REST-FILTER-002", "exact prefix other-case"),
        reason="^agents listed by the name .* unexpected",
        make=lambda: rewrite_query("name=", "query_text=", on=_AGENTS),
    ),
    CataloguedFault(
        name="name-cut-at-its-first-word",
        kills=cases("REST-FILTER-002", "unknown"),
        reason="^agents listed by the name .* 1 unexpected",
        make=lambda: rewrite_query("(name=[^&]*Ada)[^&]*", r"\1", on=_AGENTS),
    ),
)

_OF_LIFE = (
    CataloguedFault(
        name="updates-acknowledged-but-dropped",
        kills=(*UPDATES, "REST-UPDATE-002", "REST-UPDATE-003"),
        reason="when read after the update does not give back|^tags after the update|answered 200",
        make=lambda: swallow_write("merged", on=Match("PATCH", _AGENT)),
    ),
    CataloguedFault(
        name="update-resets-description",
        kills=(*UPDATES, *cases("REST-UPDATE-001", "nothing")),
        reason="changed what was not asked for: description|description is Reset",
        make=lambda: set_request_field("description", "Reset.", on=Match("PATCH", _AGENT)),
    ),
    CataloguedFault(
        name="agent-deletion-forgotten",
        kills=("REST-DELETE-001", "REST-DELETE-002"),
        reason=r"(GET|DELETE) /v1/agents/\S+ answered 200.*expected 404",
        make=lambda: forget_first_deletion(on=Match("DELETE", _AGENT)),
    ),
)

FAULTS: tuple[CataloguedFault, ...] = (
    *_OF_DISCOVERY,
    *_OF_NEW_AGENTS,
    *_OF_FILTERS,
    *_OF_LIFE,
    *OF_BLOCKS,
    *OF_REFUSALS,
    *OF_PAGES,
    *OF_CONVERSATIONS,
    *OF_ARCHIVES,
    *OF_SHAPES,
    *OF_LINKS,
    *OF_PROVIDERS,
    *OF_RESOURCES,
    *OF_RELATIONS,
    *OF_TENANTS,
    *OF_USERS,
    *OF_IDENTITIES,
    *OF_SECRETS,
    *rest_tools.FAULTS,
    *rest_files.FAULTS,
    *rest_runs.FAULTS,
    *rest_mcp.FAULTS,
    *OF_BAD_INPUT,
    *OF_CLIENTS,
    *OF_OLD_CALLS,
)
