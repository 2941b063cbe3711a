"""Faults of providers, and of MCP servers by their names: part of the catalogue of the REST suite."""

from __future__ import annotations

from pytest_letta.faults.fault import CataloguedFault, Match
from pytest_letta.faults.rest import change_status, drop_request_field, set_response_field
from pytest_letta.faults.stream import drop_event
from pytest_letta.faults.writes import swallow_write

_SERVERS = "/tools/mcp/servers"

OF_PROVIDERS: tuple[CataloguedFault, ...] = (
    CataloguedFault(
        name="good-settings-refused",
        kills=("REST-PROVIDERS-001",),
        reason="^POST /v1/providers/check answered 401",
        make=lambda: change_status(401, on=Match("POST", "/providers/check$")),
    ),
    CataloguedFault(
        name="refresh-renames-the-provider",
        kills=("REST-PROVIDERS-003",),
        reason="^the refreshed provider does not give back .*: name is other",
        make=lambda: set_response_field("name", "other", on=Match("PATCH", "/refresh$")),
    ),
)

OF_NAMED_SERVERS: tuple[CataloguedFault, ...] = (
    CataloguedFault(
        name="arguments-of-a-command-lost",
        kills=("REST-MCPNAME-001",),
        reason="^the MCP server when listed does not give back what was sent: args",
        make=lambda: set_response_field("*.args", [], on=Match("GET", f"{_SERVERS}$")),
    ),
    CataloguedFault(
        name="arguments-of-a-call-lost",
        kills=("REST-MCPNAME-002",),
        reason="^the run does not give back what was sent: success is False",
        make=lambda: drop_request_field("args.text", on=Match("POST", f"{_SERVERS}/.*/execute$")),
    ),
    CataloguedFault(
        name="change-of-a-command-dropped",
        kills=("REST-MCPNAME-003",),
        reason="^the resync does not give back what was sent: deleted is",
        make=lambda: swallow_write("merged", on=Match("PATCH", f"{_SERVERS}/[^/]+$")),
    ),
    CataloguedFault(
        name="deletion-of-a-named-server-dropped",
        kills=("REST-MCPNAME-004",),
        reason="^MCP servers by name still contains",
        make=lambda: swallow_write("known", on=Match("DELETE", f"{_SERVERS}/[^/]+$")),
    ),
    CataloguedFault(
        name="failed-connection-told-as-success",
        kills=("REST-MCPNAME-006",),
        reason="^POST /v1/tools/mcp/servers/test answered 200.*expected 400",
        make=lambda: change_status(200, only=502, on=Match("POST", f"{_SERVERS}/test$")),
    ),
    CataloguedFault(
        name="attempt-of-a-connection-not-told",
        kills=("REST-MCPNAME-007",),
        reason="^first step: expected connection_attempt, got success",
        make=lambda: drop_event(nth=0, on=Match(path="/connect(/|$)")),
    ),
)
