"""Faults of conversations, archives and the shapes of answers: part of the catalogue of the REST suite."""

from __future__ import annotations

from pytest_letta.faults.fault import CataloguedFault, Match
from pytest_letta.faults.histories import fork_empty
from pytest_letta.faults.rest import (
    answer,
    change_status,
    drop_request_field,
    drop_response_field,
    replace_body,
    set_response_field,
)
from pytest_letta.faults.stream import drop_event
from pytest_letta.faults.surface import forget_first_deletion

_OF_ONE = "/conversations/[^/]+"

OF_CONVERSATIONS: tuple[CataloguedFault, ...] = (
    CataloguedFault(
        name="preview-without-messages",
        kills=("REST-CONVERSATION-001",),
        reason="^the preview does not contain",
        make=lambda: drop_response_field("messages", on=Match("POST", f"{_OF_ONE}/messages/preview-raw-payload$")),
    ),
    CataloguedFault(
        name="fork-is-empty",
        kills=("REST-CONVERSATION-002",),
        reason="^messages of the fork",
        make=fork_empty,
    ),
    CataloguedFault(
        name="recompiled-prompt-without-memory",
        kills=("REST-CONVERSATION-003",),
        reason="^the prompt does not contain",
        make=lambda: replace_body(b'"You are a helpful agent."', on=Match("POST", f"{_OF_ONE}/recompile$")),
    ),
    CataloguedFault(
        name="compaction-tells-more-than-it-did",
        kills=("REST-CONVERSATION-004", "REST-CONVERSATION-005"),
        reason="^messages (that the model was shown afterwards: expected 3|in the agent's context: expected 2)",
        make=lambda: set_response_field("num_messages_after", 2, on=Match("POST", "/(compact|summarize)$")),
    ),
    CataloguedFault(
        name="cancellation-acknowledged-but-dropped",
        kills=("REST-CONVERSATION-006", "REST-CONVERSATION-007"),
        reason="^the stream of the turn does not contain|/cancel answered 200.*expected 409",
        make=lambda: answer(200, b"{}", on=Match("POST", f"{_OF_ONE}/cancel$")),
    ),
    CataloguedFault(
        name="followed-turn-misses-an-event",
        kills=("REST-CONVERSATION-008",),
        reason="^what the second stream gave",
        make=lambda: drop_event("assistant_message", nth=0, on=Match("POST", f"{_OF_ONE}/stream$")),
    ),
)

OF_ARCHIVES: tuple[CataloguedFault, ...] = (
    CataloguedFault(
        name="tags-of-passage-lost",
        kills=("REST-ARCHIVES-001",),
        reason="^the new passage does not give back what was sent: tags",
        make=lambda: drop_request_field("tags", on=Match("POST", "/archives/[^/]+/passages$")),
    ),
    CataloguedFault(
        name="deletion-of-passage-forgotten",
        kills=("REST-ARCHIVES-002",),
        reason="^passages that the search finds: 0 missing .* 1 unexpected",
        make=lambda: forget_first_deletion(on=Match("DELETE", "/archives/[^/]+/passages/")),
    ),
)

OF_SHAPES: tuple[CataloguedFault, ...] = (
    CataloguedFault(
        name="count-as-text",
        kills=("REST-FILTER-003", "REST-SHAPE-001"),
        reason='^count of agents by|^the body: it is not of type "integer", in 1 operation: GET /v1/agents/count$',
        make=lambda: replace_body(b'"3"', on=Match("GET", "/agents/count$")),
    ),
    CataloguedFault(
        name="usage-without-its-sum",
        kills=("REST-RUNS-002", "REST-SHAPE-001"),
        reason='^usage of the run|^the body: "total_tokens" is a required property, in 1 operation: GET /v1/runs/',
        make=lambda: drop_response_field("total_tokens", on=Match("GET", "/runs/[^/]+/usage$")),
    ),
)

_CREATED = "/v1/(agents|archives|blocks|conversations|folders|tools)/[^/]+$"
OF_LINKS: tuple[CataloguedFault, ...] = (
    CataloguedFault(
        name="links-lead-to-what-was-deleted",
        kills=("REST-LINKS-001",),
        reason="for a resource that was previously deleted",
        make=lambda: forget_first_deletion(on=Match("DELETE", _CREATED)),
    ),
    CataloguedFault(
        name="links-lead-nowhere",
        kills=("REST-LINKS-001",),
        reason="for a resource that was just created",
        make=lambda: change_status(404, only=200, on=Match("GET", _CREATED)),
    ),
)
