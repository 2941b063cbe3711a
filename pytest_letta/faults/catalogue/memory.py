"""Faults that break the promises of the memory suite, each by its own reason."""

from __future__ import annotations

from pytest_letta.faults.catalogue import memory_archival as archival
from pytest_letta.faults.catalogue import memory_files as files
from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.catalogue.memory_backup import BACKUP
from pytest_letta.faults.catalogue.memory_blocks import OF_BLOCKS
from pytest_letta.faults.catalogue.memory_rows import AFTER_KILL, AFTER_RESTART
from pytest_letta.faults.catalogue.memory_sequences import FAULTS as SEQUENCES
from pytest_letta.faults.catalogue.memory_tenants import TENANTS
from pytest_letta.faults.fault import CataloguedFault, Match, together
from pytest_letta.faults.memory import (
    ignore_cursors,
    keep_old_prompt,
    mix_up_agents,
    sanitise,
    spill_edit,
    take_label,
)
from pytest_letta.faults.rest import (
    change_status,
    drop_request_field,
    duplicate_list_item,
    replace_body,
    reverse_list,
    set_request_field,
)
from pytest_letta.faults.stack import StackFault
from pytest_letta.faults.writes import serve_stale, swallow_write

_EDITS = Match("PATCH", r"/blocks/[^/]+$")
_HISTORY = Match("GET", r"/agents/[^/]+/messages$")
_SEARCH = Match("GET", r"/archival-memory/search$")

_BOTH_ROUTES = ("agent-route", "block-route")
_TEXT_CASES = ("outer-spaces", "line-ends", "unicode", "markup", "placeholders", "long")
_TOOLS = ("memory_insert", "memory_replace")
_WALKS = tuple(f"{order}-{limit}" for order in ("oldest-first", "newest-first") for limit in (1, 3))


_OF_BLOCKS = (
    CataloguedFault(
        name="edit-resets-description",
        kills=cases("MEM-BLOCK-001", *_BOTH_ROUTES),
        reason="after its edit does not give back .* description",
        make=lambda: set_request_field("description", "Reset.", on=_EDITS),
    ),
    CataloguedFault(
        name="edit-spills-over",
        kills=("MEM-BLOCK-001[agent-route]", "MEM-CRASH-001", "MEM-PROMPT-001[agent-route]"),
        reason="block persona after|other block|of another block",
        make=lambda: spill_edit("persona", on=Match("PATCH", r"/core-memory/blocks/human$")),
    ),
    CataloguedFault(
        name="unknown-label-overwrites",
        kills=("MEM-BLOCK-002",),
        reason="after an edit of the unknown label",
        make=lambda: take_label("no-such-label", "persona"),
    ),
    CataloguedFault(
        name="block-read-from-cache",
        kills=("MEM-BLOCK-003", *cases("MEM-PROMPT-005", *_TOOLS)),
        reason="as its other holder|lines of the block over REST",
        make=lambda: serve_stale(on=Match("GET", r"/core-memory/blocks/[^/]+$")),
    ),
    CataloguedFault(
        name="deletion-ignored",
        kills=("MEM-BLOCK-004",),
        reason=r"GET /v1/blocks/\S+ answered 200",
        make=lambda: swallow_write("echo", on=Match("DELETE", "^/v1/blocks/")),
    ),
    CataloguedFault(
        name="detachment-ignored",
        kills=("MEM-BLOCK-005",),
        reason=r"GET /v1/agents/\S+/core-memory/blocks/\S+ answered 200",
        make=lambda: swallow_write("echo", on=Match("PATCH", "/blocks/detach/")),
    ),
    CataloguedFault(
        name="conflict-becomes-500",
        kills=("MEM-PARALLEL-001",),
        reason=r"PATCH .* answered 500.*expected 200 or 409",
        make=lambda: change_status(500, only=409, on=_EDITS),
    ),
    CataloguedFault(
        name="gateway-sanitises-blocks",
        kills=cases("MEM-TEXT-001", *_TEXT_CASES),
        reason="block as created: expected",
        make=lambda: sanitise("value", on=Match("POST", "^/v1/blocks/")),
    ),
    CataloguedFault(
        name="edits-acknowledged-but-dropped",
        kills=(
            *cases("MEM-BLOCK-001", *_BOTH_ROUTES),
            "MEM-BLOCK-002",
            "MEM-BLOCK-003",
            *cases("MEM-TEXT-001", *_TEXT_CASES),
            "MEM-PARALLEL-001",
            *cases("MEM-PROMPT-001", *_BOTH_ROUTES),
            *cases("MEM-PROMPT-002", *_BOTH_ROUTES),
            "MEM-ISOLATION-003",
            "MEM-CONVERSATION-003[begun-afterwards]",
            "MEM-RESTART-001",
            "MEM-RESTART-005",
            "MEM-CRASH-001",
        ),
        reason="after (its|the) edit|edited (agent|block)|holder|as edited|acknowledged|first prompt|expected 404",
        make=lambda: swallow_write("echo", on=_EDITS),
    ),
)

_OF_PASSAGES = (
    CataloguedFault(
        name="search-finds-nothing",
        kills=(
            *(f"MEM-ARCHIVAL-{number:03}" for number in (1, 2, 3, 4, 18)),
            *cases("MEM-ARCHIVAL-015", "smaller", "larger"),
            "MEM-RESTART-002",
            "MEM-CRASH-002",
        ),
        reason=r"(search|results) .*does not contain|first result of the search for .* got \[\]",
        make=lambda: replace_body(b'{"results": [], "count": 0}', on=_SEARCH),
    ),
    CataloguedFault(
        name="search-gives-farthest-first",
        kills=(
            "MEM-ARCHIVAL-002",
            "MEM-ARCHIVAL-006",
        ),
        reason="first result of the search|not the nearest first",
        make=lambda: together(
            reverse_list(path="results", on=_SEARCH), reverse_list(on=Match("POST", "^/v1/passages/search$"))
        ),
    ),
    CataloguedFault(
        name="passage-deletion-ignored",
        kills=("MEM-ARCHIVAL-003", "MEM-ARCHIVAL-013", "MEM-ARCHIVE-001"),
        reason="after the (other holder's )?deletion still contains|DELETE .* answered 200",
        make=lambda: swallow_write("echo", on=Match("DELETE", "/archival-memory/")),
    ),
    CataloguedFault(
        name="base-tools-missing",
        kills=("MEM-ARCHIVAL-004", "MEM-RESET-003"),
        reason="result of the model's search (before .* )?does not contain",
        make=lambda: drop_request_field("tools", on=Match("POST", "^/v1/agents/$")),
    ),
    CataloguedFault(
        name="gateway-sanitises-passages",
        kills=cases("MEM-TEXT-002", *_TEXT_CASES),
        reason="passage as inserted: expected",
        make=lambda: sanitise("text", on=Match("POST", "/archival-memory$")),
    ),
    CataloguedFault(
        name="agents-mixed-up",
        kills=(*(f"MEM-ISOLATION-{number:03}" for number in (1, 2, 3, 4)), "MEM-BLOCK-005", "MEM-NAME-001"),
        reason="of the other agent|history of the first agent|agent of the apple|blocks/.* answered 404",
        make=lambda: mix_up_agents(on=Match("GET|POST|PATCH", "/(archival-memory|messages|core-memory)")),
    ),
)

_OF_TURNS = (
    CataloguedFault(
        name="history-in-reverse",
        kills=(
            "MEM-HISTORY-001",
            *cases("MEM-HISTORY-003", *_WALKS),
            "MEM-RESTART-003",
            "MEM-RESTART-004",
            "MEM-CRASH-003",
        ),
        reason="history.*(out of order|missing|repeats)",
        make=lambda: reverse_list(on=_HISTORY),
    ),
    CataloguedFault(
        name="message-shown-twice",
        kills=(
            "MEM-HISTORY-001",
            *cases("MEM-HISTORY-003", *_WALKS),
            "MEM-RESTART-003",
            "MEM-RESTART-004",
            "MEM-CRASH-003",
        ),
        reason="history.*(repeats|unexpected)",
        make=lambda: duplicate_list_item(-1, on=_HISTORY),
    ),
    CataloguedFault(
        name="history-read-from-cache",
        kills=("MEM-HISTORY-002", "MEM-RESTART-004"),
        reason="newest page right after the turn|what follows the earlier history",
        make=lambda: serve_stale(on=_HISTORY),
    ),
    CataloguedFault(
        name="cursors-ignored",
        kills=(*cases("MEM-HISTORY-003", *_WALKS), "MEM-RESTART-003"),
        reason="history (walked|by pages).*(repeats|missing)",
        make=lambda: ignore_cursors(on=_HISTORY),
    ),
    CataloguedFault(
        name="prompt-keeps-old-blocks",
        kills=(*cases("MEM-PROMPT-001", *_BOTH_ROUTES), *cases("MEM-PROMPT-005", *_TOOLS), "MEM-RESTART-005"),
        reason="^(first )?prompt after",
        make=keep_old_prompt,
    ),
)

FAULTS: tuple[CataloguedFault | StackFault, ...] = (
    *_OF_BLOCKS,
    *_OF_PASSAGES,
    *_OF_TURNS,
    *archival.OF_PASSAGES,
    *archival.OF_ARCHIVES,
    *archival.OF_CONVERSATIONS,
    *files.OF_AGENT_FILES,
    *OF_BLOCKS,
    *AFTER_RESTART,
    *AFTER_KILL,
    *SEQUENCES,
    *TENANTS,
    *BACKUP,
)
