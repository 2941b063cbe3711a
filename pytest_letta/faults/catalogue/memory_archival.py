"""Faults of passages, archives and conversations: part of the memory suite's catalogue."""

from __future__ import annotations

from pytest_letta.faults.fault import CataloguedFault, Match, together
from pytest_letta.faults.histories import show_only_context
from pytest_letta.faults.memory import ignore_cursors, mix_up_conversations
from pytest_letta.faults.rest import (
    change_status,
    drop_list_item,
    drop_parameter,
    drop_request_field,
    reverse_list,
)
from pytest_letta.faults.writes import also_delete, swallow_write

_PASSAGES = Match("GET", r"/archival-memory$")
_SEARCH = Match("GET", r"/archival-memory/search$")
_SEARCH_ALL = Match("POST", r"^/v1/passages/search$")
_INSERT = Match("POST", r"/archival-memory$")
_BATCH = Match("POST", r"/passages/batch$")
_CONVERSATION = r"^/v1/conversations/[^/]+"

OF_PASSAGES = (
    CataloguedFault(
        name="passage-list-ignores-its-query",
        kills=(
            "MEM-ARCHIVAL-005[different-dates]",
            "MEM-ARCHIVAL-005[equal-dates-oldest-first]",
            "MEM-ARCHIVAL-010[words]",
        ),
        reason=r"passages (after day 1|walked|listed by the text).*(unexpected|repeats)",
        make=lambda: drop_parameter("after", "before", "search", on=_PASSAGES),
    ),
    CataloguedFault(
        name="passage-search-ignores-filters",
        kills=("MEM-ARCHIVAL-007", "MEM-ARCHIVAL-009"),
        reason=r"passages found by .* unexpected",
        make=lambda: together(
            drop_parameter("tags", "start_datetime", "end_datetime", on=_SEARCH),
            *(drop_request_field(name, on=_SEARCH_ALL) for name in ("tags", "start_date", "end_date")),
        ),
    ),
    CataloguedFault(
        name="passage-list-lacks-one",
        kills=("MEM-ARCHIVAL-011", "MEM-ARCHIVE-006[with-embeddings]"),
        reason="passages .*1 missing",
        make=lambda: drop_list_item(0, on=_PASSAGES),
    ),
    CataloguedFault(
        name="batch-loses-a-passage",
        kills=("MEM-ARCHIVAL-012[1000]", "MEM-ARCHIVE-006[with-embeddings]"),
        reason="number of passages in the answer to the batch: expected 250, got 249|1 missing",
        make=lambda: drop_request_field("passages.1", on=_BATCH),
    ),
    CataloguedFault(
        name="failed-embedding-acknowledged",
        kills=("MEM-ARCHIVAL-016",),
        reason="expected an error: its embedding failed",
        make=lambda: change_status(200, only=(400, 500, 502), on=_INSERT),
    ),
)

OF_ARCHIVES = (
    CataloguedFault(
        name="archive-attachment-ignored",
        kills=("MEM-ARCHIVE-001",),
        reason="list of the other holder does not contain",
        make=lambda: swallow_write("echo", on=Match("PATCH", "/archives/attach/")),
    ),
    CataloguedFault(
        name="archive-detachment-ignored",
        kills=("MEM-ARCHIVE-002",),
        reason=r"list of the agent that left: expected \[\]",
        make=lambda: swallow_write("echo", on=Match("PATCH", "/archives/detach/")),
    ),
    CataloguedFault(
        name="archive-goes-with-its-agent",
        kills=("MEM-ARCHIVE-003",),
        reason="list of the holder that is left: 2 missing",
        make=lambda: also_delete(
            "/v1/archives/?agent_id={agent}", "/v1/archives/{id}", on=Match("DELETE", "^/v1/agents/[^/]+$")
        ),
    ),
    CataloguedFault(
        name="foreign-passage-deletion-acknowledged",
        kills=("MEM-ARCHIVE-005",),
        reason="DELETE .* answered 204",
        make=lambda: change_status(204, only=(400, 404), body=b"", on=Match("DELETE", "^/v1/archives/.*/passages/")),
    ),
    CataloguedFault(
        name="archive-deletion-ignored",
        kills=("MEM-ARCHIVE-007",),
        reason=r"GET /v1/archives/\S+ answered 200",
        make=lambda: swallow_write("echo", on=Match("DELETE", "^/v1/archives/[^/]+$")),
    ),
)

OF_CONVERSATIONS = (
    CataloguedFault(
        name="message-search-crashes",
        kills=("MEM-HISTORY-004",),
        reason="messages/search answered 500",
        make=lambda: change_status(500, on=Match("POST", "/messages/search$")),
    ),
    CataloguedFault(
        name="reset-ignored",
        kills=("MEM-RESET-001",),
        reason="prompt after the reset still contains",
        make=lambda: swallow_write("echo", on=Match("PATCH", "/reset-messages$")),
    ),
    CataloguedFault(
        name="history-shows-the-context-only",
        kills=("MEM-RESET-002",),
        reason="history after the reset: .* missing",
        make=show_only_context,
    ),
    CataloguedFault(
        name="reset-takes-conversations-along",
        kills=("MEM-RESET-004",),
        reason="history of the conversation after the reset: .* missing",
        make=lambda: also_delete(
            "/v1/conversations/?agent_id={agent}", "/v1/conversations/{id}", on=Match("PATCH", "/reset-messages$")
        ),
    ),
    CataloguedFault(
        name="conversations-mixed-up",
        kills=("MEM-CONVERSATION-001", "MEM-CONVERSATION-002"),
        reason="(said in the first conversation.*unexpected|prompt in the first conversation still contains)",
        make=lambda: mix_up_conversations(on=Match("GET|POST", f"{_CONVERSATION}/messages$")),
    ),
    CataloguedFault(
        name="conversations-listed-in-reverse",
        kills=("MEM-CONVERSATION-004",),
        reason="conversations listed asc: out of order",
        make=lambda: reverse_list(on=Match("GET", "^/v1/conversations/$")),
    ),
    CataloguedFault(
        name="conversation-cursors-ignored",
        kills=("MEM-CONVERSATION-005[asc]",),
        reason="conversation walked asc by 1.*(missing|repeats)",
        make=lambda: ignore_cursors(on=Match("GET", f"{_CONVERSATION}/messages$")),
    ),
    CataloguedFault(
        name="conversation-deletion-ignored",
        kills=("MEM-CONVERSATION-006",),
        reason=r"GET /v1/conversations/\S+ answered 200",
        make=lambda: swallow_write("echo", on=Match("DELETE", f"{_CONVERSATION}$")),
    ),
)
