"""Faults of MCP servers and their tools: part of the REST suite's catalogue."""

from __future__ import annotations

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.fault import CataloguedFault, Match
from pytest_letta.faults.rest import answer, change_status, replace_body, set_request_field, set_response_field
from pytest_letta.faults.surface import forget_first_deletion
from pytest_letta.faults.writes import swallow_write

_SERVERS = "/v1/mcp-servers/"
_BY_NAME = "/v1/tools/mcp/servers"

_OF_SERVERS = (
    CataloguedFault(
        name="mcp-server-under-another-name",
        kills=("REST-MCP-001",),
        reason="^the MCP server when read does not give back what was sent: server_name is another",
        make=lambda: set_response_field("server_name", "another", on=Match("GET", f"{_SERVERS}[^/]+$")),
    ),
    CataloguedFault(
        name="argument-of-mcp-tool-changed",
        kills=("REST-MCP-002",),
        reason="^the run does not give back what was sent: func_return",
        make=lambda: set_request_field("args.times", 1, on=Match("POST", f"{_SERVERS}.*/run$")),
    ),
    CataloguedFault(
        name="attachment-of-tool-forgotten",
        kills=("REST-MCP-003",),
        reason="^returns of the tool in the turn: expected",
        make=lambda: answer(200, b"{}", on=Match("PATCH", "/tools/attach/")),
    ),
    CataloguedFault(
        name="refresh-of-mcp-server-forgotten",
        kills=("REST-MCP-004", "REST-MCP-006", *cases("REST-MCP-007", "refresh")),
        reason=r"^tools of the MCP server after the refresh: expected|/refresh answered 200: \{\} \(expected 40[04]",
        make=lambda: answer(200, b"{}", on=Match("PATCH", f"{_SERVERS}.*/refresh$")),
    ),
    CataloguedFault(
        name="deletion-of-mcp-server-forgotten",
        kills=("REST-MCP-005",),
        reason=r"^GET /v1/mcp-servers/\S+ answered 200.*expected 404",
        make=lambda: forget_first_deletion(on=Match("DELETE", _SERVERS)),
    ),
    CataloguedFault(
        name="mcp-servers-crash-in-place-of-refusals",
        kills=("REST-MCP-005", "REST-MCP-006", *cases("REST-MCP-007", "read", "update", "refresh")),
        reason=r"^(GET|POST|PATCH) /v1/mcp-servers/\S* answered 500",
        make=lambda: change_status(500, only=(400, 404, 422, 424), on=Match(path=_SERVERS)),
    ),
)

_OF_NAMES = (
    CataloguedFault(
        name="wrong-command-taken",
        kills=("REST-MCP-011",),
        reason=f"^POST {_BY_NAME}/test answered 200",
        make=lambda: change_status(200, only=(400, 422, 424, 502), on=Match("POST", f"{_BY_NAME}/test$")),
    ),
    CataloguedFault(
        name="removal-of-mcp-server-forgotten",
        kills=("REST-MCP-012",),
        reason="^MCP servers after the removal still contains",
        make=lambda: forget_first_deletion(on=Match("DELETE", f"{_BY_NAME}/")),
    ),
    CataloguedFault(
        name="connection-without-outcome",
        kills=("REST-MCP-008", *cases("REST-MCP-015", "right", "wrong")),
        reason="^tools told by data: .*expected|^last event of data: .*expected",
        make=lambda: replace_body(
            b'data: {"event": "connection_attempt"}\n\n', on=Match(path="/(servers/connect|mcp-servers/connect/.*)$")
        ),
    ),
    CataloguedFault(
        name="argument-of-called-tool-changed",
        kills=("REST-MCP-013",),
        reason="^the call does not give back what was sent: result is ab",
        make=lambda: set_request_field("args.times", 1, on=Match("POST", "/execute$")),
    ),
    CataloguedFault(
        name="change-of-kept-mcp-server-dropped",
        kills=("REST-MCP-016",),
        reason="^the resync does not give back what was sent: deleted is",
        make=lambda: swallow_write(on=Match("PATCH", f"{_BY_NAME}/")),
    ),
)

FAULTS: tuple[CataloguedFault, ...] = (*_OF_SERVERS, *_OF_NAMES)
