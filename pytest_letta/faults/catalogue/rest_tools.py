"""Faults of tools, of their runs and of approvals: part of the REST suite's catalogue."""

from __future__ import annotations

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.fault import CataloguedFault, Match, together
from pytest_letta.faults.rest import (
    answer,
    drop_parameter,
    drop_request_field,
    drop_response_field,
    duplicate_list_item,
    set_request_field,
    set_response_field,
)
from pytest_letta.faults.surface import forget_first_deletion

_MAKE = Match("POST", "/v1/tools/$")
_RUN_SOURCE = Match("POST", "/v1/tools/run$")
_SEND = Match("POST", "/messages$")
_APPROVAL = Match("PATCH", "/tools/approval/")

_OF_TOOLS = (
    CataloguedFault(
        name="duties-of-parameters-lost",
        kills=("REST-TOOLS-001", "REST-TOOLS-002"),
        reason="^parameters that must be given: expected .*text.*, got None",
        make=lambda: together(
            drop_response_field("json_schema.parameters.required", on=_MAKE),
            drop_response_field("parameters.required", on=Match("POST", "/tools/generate-schema$")),
        ),
    ),
    CataloguedFault(
        name="limit-lost-by-put",
        kills=("REST-TOOLS-003",),
        reason="^the tool after the PUT does not give back what was sent: return_char_limit",
        make=lambda: drop_request_field("return_char_limit", on=Match("PUT", "/v1/tools/$")),
    ),
    CataloguedFault(
        name="second-source-ignored",
        kills=("REST-TOOLS-011",),
        reason="^the second creation does not give back what was sent: source_code",
        make=lambda: set_response_field("source_code", "def first(): ...", on=_MAKE),
    ),
    CataloguedFault(
        name="base-tool-added-twice",
        kills=("REST-TOOLS-010",),
        reason="^base tools repeats",
        make=lambda: duplicate_list_item(on=Match("POST", "/tools/add-base-tools$")),
    ),
    CataloguedFault(
        name="filters-of-tools-ignored",
        kills=cases("REST-TOOLS-012", "names", "ids", "part", "kind"),
        reason=r"^tools listed by \w+: .* [1-9]\d* unexpected",
        make=lambda: drop_parameter(
            "names", "tool_ids", "search", "exclude_tool_types", on=Match("GET", "/v1/tools/$")
        ),
    ),
    CataloguedFault(
        name="detachment-of-tool-forgotten",
        kills=("REST-TOOLS-008",),
        reason="^tools of the agent after the detachment: 0 missing .* 1 unexpected",
        make=lambda: answer(200, b"{}", on=Match("PATCH", "/tools/detach/")),
    ),
    CataloguedFault(
        name="deletion-of-tool-forgotten",
        kills=("REST-TOOLS-009",),
        reason="^tools of the agent still contains",
        make=lambda: forget_first_deletion(on=Match("DELETE", "/v1/tools/tool-")),
    ),
)

_OF_TOOL_RUNS = (
    CataloguedFault(
        name="run-without-what-was-sent-along",
        kills=cases("REST-TOOLS-005", "with-arguments", "with-environment"),
        reason="^what the tool returned: expected a b, got nothing|^status of the run, .* got error",
        make=lambda: together(
            drop_request_field("args.text", on=_RUN_SOURCE),
            drop_request_field("env_vars.PYTEST_LETTA_TOLD", on=_RUN_SOURCE),
        ),
    ),
    CataloguedFault(
        name="failure-of-tool-taken-for-success",
        kills=cases("REST-TOOLS-005", "failing"),
        reason="^status of the run, .* expected error, got success",
        make=lambda: set_response_field("status", "success", on=_RUN_SOURCE),
    ),
    CataloguedFault(
        name="prints-of-tool-lost",
        kills=cases("REST-TOOLS-007", "none", "secret"),
        reason="^what the tool printed: expected looked",
        make=lambda: set_response_field("stdout", [], on=Match("POST", "/agents/[^/]+/tools/.*/run$")),
    ),
    CataloguedFault(
        name="secrets-of-agent-lost",
        kills=cases("REST-TOOLS-007", "secret"),
        reason="^the run does not give back what was sent: func_return is nothing",
        make=lambda: drop_request_field("secrets", on=Match("POST", "/v1/agents/$")),
    ),
    CataloguedFault(
        name="return-of-tool-hidden-from-the-turn",
        kills=cases("REST-TOOLS-013", "returning", "failing", "returning-much"),
        reason="^what the turn tells of the call does not contain",
        make=lambda: set_response_field("messages.*.tool_return", "done", on=_SEND),
    ),
    CataloguedFault(
        name="limit-of-returns-lost",
        kills=cases("REST-TOOLS-013", "returning-much"),
        reason="^what the model was asked after the call still contains",
        make=lambda: drop_request_field("return_char_limit", on=_MAKE),
    ),
)

_OF_APPROVALS = (
    CataloguedFault(
        name="duty-of-approval-forgotten",
        kills=(
            "REST-APPROVALS-001",
            *cases("REST-APPROVALS-002", "approved", "denied"),
            "REST-APPROVALS-003",
        ),
        reason="^reason why the turn stopped: expected requires_approval, got end_turn",
        make=lambda: answer(200, b"{}", on=_APPROVAL),
    ),
    CataloguedFault(
        name="duty-of-approval-kept",
        kills=("REST-APPROVALS-004",),
        reason="^messages of the turn does not contain tool_return_message",
        make=lambda: set_request_field("requires_approval", True, on=_APPROVAL),
    ),
    CataloguedFault(
        name="denial-taken-for-approval",
        kills=cases("REST-APPROVALS-002", "denied"),
        reason="^what the model was told of the call does not contain Not on a Sunday",
        make=lambda: set_request_field("messages.0.approvals.0.approve", True, on=_SEND),
    ),
    CataloguedFault(
        name="arguments-of-waiting-call-hidden",
        kills=("REST-APPROVALS-001",),
        reason="^arguments that are to be approved does not contain otter",
        make=lambda: set_response_field("messages.*.tool_call.arguments", "{}", on=_SEND),
    ),
)

FAULTS: tuple[CataloguedFault, ...] = (*_OF_TOOLS, *_OF_TOOL_RUNS, *_OF_APPROVALS)
