"""Faults of core memory: its texts, labels, order, holders and parallel writers. Part of the memory catalogue."""

from __future__ import annotations

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.fault import CataloguedFault, Match, every_nth
from pytest_letta.faults.memory import keep_old_prompt, once_seen, sanitise
from pytest_letta.faults.rest import (
    change_request_text,
    change_status,
    drop_request_field,
    reverse_list,
)
from pytest_letta.faults.writes import also_delete, serve_stale, swallow_write

_NEW_AGENTS = Match("POST", "^/v1/agents/$")
_EDITS = Match("PATCH", r"/blocks/[^/]+$")
_BOTH_ROUTES = ("by-label", "by-id")
_FOREIGN_TEXTS = ("emoji", "right-to-left", "combining", "controls", "planes", "spaces")


_OF_TEXT = (
    CataloguedFault(
        name="gateway-sanitises-new-agents",
        kills=(
            *cases("MEM-TEXT-003", *_FOREIGN_TEXTS),
            "MEM-TEXT-004",
            *cases("MEM-TEXT-006", "line-ends", "outer-spaces", "letters"),
        ),
        reason="text of the block written create|not in the prompt as they are|text after the model's edit",
        make=lambda: sanitise("memory_blocks.*.value", on=_NEW_AGENTS),
    ),
    CataloguedFault(
        name="limit-is-off-by-one",
        kills=cases("MEM-TEXT-007", "letter", "emoji"),
        reason="text of 20 characters",
        make=lambda: change_request_text("value", lambda text: text[:19], on=Match("POST|PATCH", "/blocks/")),
    ),
    CataloguedFault(
        name="blocks-compiled-twice",
        kills=("MEM-PROMPT-006",),
        reason="how often the value of block human is in the prompt: expected 1, got 2",
        make=lambda: change_request_text("memory_blocks.*.value", lambda text: f"{text}\n{text}", on=_NEW_AGENTS),
    ),
)

_OF_RULES = (
    CataloguedFault(
        name="read-only-is-lost",
        kills=("MEM-READONLY-001[edit]",),
        reason="read-only block after the agent called",
        make=lambda: drop_request_field("memory_blocks.*.read_only", on=_NEW_AGENTS),
    ),
    CataloguedFault(
        name="read-only-cannot-be-set",
        kills=cases("MEM-READONLY-003", *_BOTH_ROUTES),
        reason="after the agent wrote to it, read_only True",
        make=lambda: drop_request_field("read_only", on=_EDITS),
    ),
    CataloguedFault(
        name="label-conflicts-are-hidden",
        kills=("MEM-LABEL-002", *cases("MEM-LABEL-004", *_BOTH_ROUTES), "MEM-PARALLEL-006"),
        reason=r"answered 200: .*expected 409|how many of 3 blocks of one label .* got 3",
        make=lambda: change_status(200, only=409, on=Match("PATCH", "/blocks/")),
    ),
    CataloguedFault(
        name="blocks-listed-to-and-fro",
        kills=("MEM-ORDER-002",),
        reason="blocks listed again: out of order",
        make=lambda: every_nth(2, reverse_list(on=Match("GET", "/core-memory/blocks$"))),
    ),
)

_OF_WRITES = (
    CataloguedFault(
        name="edits-echoed-and-dropped",
        kills=(
            *cases("MEM-READONLY-002", *_BOTH_ROUTES),
            *cases("MEM-LABEL-003", *_BOTH_ROUTES),
            *cases("MEM-LABEL-005", "space", "percent", "question-mark", "letters"),
            *cases("MEM-TEXT-003", "empty", *_FOREIGN_TEXTS),
            *cases("MEM-PARALLEL-003", *_BOTH_ROUTES),
            "MEM-PARALLEL-004",
            *cases("MEM-PROMPT-007", *_BOTH_ROUTES),
            "MEM-SHARED-001[by-id]",
        ),
        reason=(
            "value after the edit, status 200|answered 200: .*expected 404|blocks after the edit by label|"
            "text of the block written by-|after round 0|prompt (of the other holder )?after the edit"
        ),
        make=lambda: swallow_write("echo", on=_EDITS),
    ),
    CataloguedFault(
        name="attachments-echoed-and-dropped",
        kills=("MEM-PARALLEL-004", "MEM-PARALLEL-007[attached]"),
        reason="attach beside an edit|whether the block attached in the turn is held: expected True",
        make=lambda: swallow_write("echo", on=Match("PATCH", "/blocks/attach/")),
    ),
    CataloguedFault(
        name="detachments-echoed-and-dropped",
        kills=("MEM-PARALLEL-004", "MEM-PARALLEL-007[detached]"),
        reason="detach beside an edit|whether the block detached in the turn is held: expected False",
        make=lambda: swallow_write("echo", on=Match("PATCH", "/blocks/detach/")),
    ),
)

_OF_HOLDERS = (
    CataloguedFault(
        name="holders-are-told-old-blocks",
        kills=cases("MEM-SHARED-001", "by-id", "by-model"),
        reason="prompt of the other holder after the edit",
        make=keep_old_prompt,
    ),
    CataloguedFault(
        name="holders-read-from-cache",
        kills=("MEM-PARALLEL-005",),
        reason="acknowledged texts of round 1, against the first holder's",
        make=lambda: serve_stale(on=Match("GET", r"/core-memory/blocks/[^/]+$")),
    ),
    CataloguedFault(
        name="deleted-block-breaks-its-holders",
        kills=("MEM-SHARED-002",),
        reason=r"POST \S+/messages answered 500",
        make=lambda: once_seen(
            change_status(500, on=Match("POST", "/messages$")), on=Match("DELETE", "^/v1/blocks/")
        ),
    ),
    CataloguedFault(
        name="deleted-agent-takes-its-blocks-along",
        kills=("MEM-SHARED-003",),
        reason=r"blocks of the other holder after the deletion: expected .* got \{\}",
        make=lambda: also_delete(
            "/v1/agents/{agent}/core-memory/blocks", "/v1/blocks/{id}", on=Match("DELETE", "^/v1/agents/[^/]+$")
        ),
    ),
)

OF_BLOCKS = (*_OF_TEXT, *_OF_RULES, *_OF_WRITES, *_OF_HOLDERS)
