"""Faults of agent files: part of the memory suite's catalogue."""

from __future__ import annotations

from pytest_letta.faults.fault import CataloguedFault, Match, together
from pytest_letta.faults.histories import import_in_place
from pytest_letta.faults.rest import (
    change_status,
    drop_list_item,
    replace_in_body,
    reverse_list,
    set_response_field,
)

_EXPORT = Match("GET", r"/export$")
_IMPORT = Match("POST", r"^/v1/agents/import$")

OF_AGENT_FILES = (
    CataloguedFault(
        name="export-forgets-settings-and-values",
        kills=("MEM-FILE-001", "MEM-FILE-002[contents]"),
        reason=r"state of the copy .* timezone is|block \w+ of the copy .* value is",
        make=lambda: together(
            set_response_field("agents.*.timezone", "UTC", on=_EXPORT),
            set_response_field("blocks.*.value", "", on=_EXPORT),
        ),
    ),
    CataloguedFault(
        name="export-disorders-the-history",
        kills=("MEM-FILE-003", "MEM-FILE-004"),
        reason="history of the copy: out of order|next prompt of the copy: .* missing",
        make=lambda: together(
            reverse_list(path="agents.*.messages", on=_EXPORT),
            drop_list_item(1, path="agents.*.in_context_message_ids", on=_EXPORT),
        ),
    ),
    CataloguedFault(
        name="export-tells-what-it-leaves-out",
        kills=("MEM-FILE-006", "MEM-FILE-007"),
        reason="passages of the copy, against those in the file|agent file still contains s3cr3t-4711",
        make=lambda: together(
            set_response_field("metadata.passages", "The grey heron nests on the pylon.", on=_EXPORT),
            set_response_field("agents.*.secrets.API_KEY", "s3cr3t-4711", on=_EXPORT),
        ),
    ),
    CataloguedFault(
        name="import-in-place",
        kills=("MEM-FILE-001", "MEM-FILE-008"),
        reason="the copy is the original itself|blocks of the original.*: expected",
        make=import_in_place,
    ),
    CataloguedFault(
        name="import-overwrites-tools",
        kills=("MEM-FILE-009",),
        reason="source of the tool after the import",
        make=lambda: replace_in_body(b"\r\n\r\nfalse\r\n", b"\r\n\r\ntrue\r\n", on=_IMPORT),
    ),
    CataloguedFault(
        name="broken-file-acknowledged",
        kills=("MEM-FILE-011[cut-short]",),
        reason="POST /v1/agents/import answered 200",
        make=lambda: change_status(200, only=400, body=b'{"agent_ids": []}', on=_IMPORT),
    ),
)
