"""Faults of runs, steps, messages, searches and jobs: part of the REST suite's catalogue."""

from __future__ import annotations

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.fault import CataloguedFault, Match, together
from pytest_letta.faults.rest import (
    answer,
    change_status,
    drop_list_item,
    drop_parameter,
    reverse_list,
    set_request_field,
    set_response_field,
)

_RUNS = Match("GET", "/v1/runs/$")
_STEP = Match("GET", "/v1/steps/step-[^/]+$")

_OF_RUNS = (
    CataloguedFault(
        name="run-told-to-have-failed",
        kills=("REST-RUNS-001", "REST-RUNS-006"),
        reason="^the run (that ended )?does not give back what was sent: status is failed",
        make=lambda: set_response_field("status", "failed", on=Match("GET", "/v1/runs/run-[^/]+$")),
    ),
    CataloguedFault(
        name="usage-of-run-wrong",
        kills=("REST-RUNS-002",),
        reason="^usage of the run does not give back what was sent: total_tokens is 1",
        make=lambda: set_response_field("total_tokens", 1, on=Match("GET", "/usage$")),
    ),
    CataloguedFault(
        name="message-of-run-lost",
        kills=("REST-RUNS-003",),
        reason=r"^ids of /v1/runs/\S+/messages: 1 missing",
        make=lambda: drop_list_item(on=Match("GET", "/v1/runs/[^/]+/messages$")),
    ),
    CataloguedFault(
        name="steps-of-run-turned-round",
        kills=("REST-RUNS-004",),
        reason="^steps of the run, in order: expected",
        make=lambda: reverse_list(on=Match("GET", "/v1/runs/[^/]+/steps$")),
    ),
    CataloguedFault(
        name="filters-of-runs-ignored",
        kills=cases("REST-RUNS-005", "status", "background", "stop-reason", "active"),
        reason="^runs listed by {.*expected",
        make=lambda: drop_parameter("statuses", "background", "stop_reason", "active", on=_RUNS),
    ),
    CataloguedFault(
        name="runs-of-all-agents",
        kills=cases("REST-RUNS-005", "agent"),
        reason="^runs of the agent listed by .* expected",
        make=lambda: drop_parameter("agent_id", on=_RUNS),
    ),
)

_OF_STEPS = (
    CataloguedFault(
        name="step-of-another-model",
        kills=("REST-STEPS-001",),
        reason="^handle of the model of the step: expected .*, got other/model",
        make=lambda: set_response_field("model_handle", "other/model", on=_STEP),
    ),
    CataloguedFault(
        name="feedback-forgotten",
        kills=("REST-STEPS-003",),
        reason="^the step does not give back what was sent: feedback is None",
        make=lambda: answer(200, b"{}", on=Match("PATCH", "/feedback$")),
    ),
    CataloguedFault(
        name="metrics-of-another-agent",
        kills=cases("REST-STEPS-004", "metrics-of-run", "metrics-of-step", "trace-of-step"),
        reason="^agent of the metrics: expected|^the trace does not have the message",
        make=lambda: together(
            set_response_field("agent_id", "agent-other", on=Match("GET", "/metrics$")),
            set_response_field("request_json", {}, on=Match("GET", "/trace$")),
        ),
    ),
)

_OF_MESSAGES = (
    CataloguedFault(
        name="message-by-its-id-has-another-text",
        kills=cases("REST-MESSAGES-001", "question"),
        reason="^the message by its id does not give back what was sent: content is Else",
        make=lambda: set_response_field("*.content", "Else.", on=Match("GET", "/v1/messages/message-")),
    ),
    CataloguedFault(
        name="messages-of-all-agents-hidden",
        kills=("REST-MESSAGES-002",),
        reason="^the newest 50 messages of all agents does not contain",
        make=lambda: answer(200, b"[]", on=Match("GET", "/v1/messages/$")),
    ),
    CataloguedFault(
        name="preview-of-another-message",
        kills=("REST-MESSAGES-003",),
        reason="^the preview does not contain Only looked at",
        make=lambda: set_request_field("messages.0.content", "Else.", on=Match("POST", "/preview-raw-payload$")),
    ),
    CataloguedFault(
        name="generation-is-empty",
        kills=("REST-MESSAGES-004",),
        reason="^the generation gave no text",
        make=lambda: set_response_field("content", "", on=Match("POST", "/generate$")),
    ),
)

_OF_JOBS = (
    CataloguedFault(
        name="list-of-jobs-crashes",
        kills=("REST-JOBS-001",),
        reason=r"^GET /v1/jobs/\S* answered 500",
        make=lambda: change_status(500, on=Match("GET", "/v1/jobs/$")),
    ),
    CataloguedFault(
        name="unknown-job-found",
        kills=(
            *cases("REST-JOBS-002", "read", "cancel", "delete"),
            *cases("REST-BATCHES-002", "read", "messages", "cancel"),
        ),
        reason="answered 200.*expected 404",
        make=lambda: change_status(200, only=404, on=Match(path="/job-")),
    ),
    CataloguedFault(
        name="empty-batch-taken",
        kills=("REST-BATCHES-001",),
        reason="^POST /v1/messages/batches answered 200.*expected 400",
        make=lambda: change_status(200, only=(400, 422), on=Match("POST", "/messages/batches$")),
    ),
    CataloguedFault(
        name="search-crashes-where-it-is-off",
        kills=cases("REST-SEARCH-001", "tools", "messages", "messages-of-agents"),
        reason="/search answered 500.*expected 400",
        make=lambda: change_status(500, only=400, on=Match("POST", "/search$")),
    ),
)

FAULTS: tuple[CataloguedFault, ...] = (*_OF_RUNS, *_OF_STEPS, *_OF_MESSAGES, *_OF_JOBS)
