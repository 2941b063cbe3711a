"""Faults of refusals and of pages: part of the REST suite's catalogue."""

from __future__ import annotations

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.catalogue.rest_cases import (
    BELOW_UNKNOWN_AGENT,
    HOSTILE,
    LIMITED,
    MALFORMED,
    UNKNOWN_ELSEWHERE,
    UNKNOWN_PARTS,
    WALKS,
)
from pytest_letta.faults.fault import CataloguedFault, Match
from pytest_letta.faults.memory import ignore_cursors, take_label
from pytest_letta.faults.rest import change_status, drop_list_item, replace_body, reverse_list
from pytest_letta.faults.surface import choke_on, rewrite_query

_AGENT = r"/agents/agent-[^/]+$"
_LISTS = Match(
    "GET",
    r"/(agents|blocks|runs|conversations|archives)/$|/(messages|archival-memory|core-memory/blocks|tools|folders)$",
)
#: Without those that Letta compares by id, where what is lost is a matter of chance.
_SURE_LISTS = Match(
    "GET", r"/(agents|blocks|runs|conversations|archives)/$|/(messages|archival-memory|core-memory/blocks)$"
)

#: What the hostile requests hold and no other does.
_HOSTILE = (
    rb"limit=2147483648|limit=-1|%00|%27|%ff|x{4000}|(word ){5000}|\\u0000|\\ud83d\"|no.such|00000000-0000-4000-8000"
    rb"|\"name\": \"\"|\"model\": (\"\"|null)|\"context_window_limit\": (-1|9223372036854775808)|0001-01-01|def \(:"
    rb"|\"content\": (\"\"|\[\])|\"messages\": \[\]|file:|approvals"
)

OF_REFUSALS = (
    CataloguedFault(
        name="unknown-agent-found",
        kills=cases("REST-UNKNOWN-001", "read update delete"),
        reason="answered 200.*expected 404",
        make=lambda: change_status(200, only=404, on=Match(path=_AGENT)),
    ),
    CataloguedFault(
        name="nothing-in-place-of-not-found",
        kills=(*BELOW_UNKNOWN_AGENT, *UNKNOWN_PARTS),
        reason=r"answered 200: \[\] \(expected 404\)",
        make=lambda: change_status(200, only=404, body=b"[]", on=Match(path="/agents/agent-[^/]+/")),
    ),
    CataloguedFault(
        name="unknown-label-taken-for-another",
        kills=cases("REST-UNKNOWN-003", "edit-block-by-label read-block-by-label"),
        reason="PATCH of what does not exist changed what was not asked for|answered 200",
        make=lambda: take_label("no-such-label", "persona"),
    ),
    CataloguedFault(
        name="nothing-in-place-of-not-found-elsewhere",
        kills=UNKNOWN_ELSEWHERE,
        reason=r"answered 200: \[\] \(expected 404\)",
        make=lambda: change_status(200, only=404, body=b"[]", on=Match(path="^/v1/(?!agents/)")),
    ),
    CataloguedFault(
        name="refusals-become-500",
        kills=MALFORMED,
        reason="answered 500",
        make=lambda: change_status(500, only=(400, 422)),
    ),
    CataloguedFault(
        name="errors-as-html",
        kills=("REST-MALFORMED-005",),
        reason="^content-type: expected application/json, got text/html",
        make=lambda: replace_body(b"<h1>Not Found</h1>", "text/html", on=Match("GET", _AGENT)),
    ),
    CataloguedFault(
        name="hostile-input-crashes",
        kills=HOSTILE,
        reason=r"answered 500: .*\(a server error\)",
        make=lambda: choke_on(_HOSTILE),
    ),
    CataloguedFault(
        name="agent-silent-after-update",
        kills=cases("REST-BRICK-001", "name-with-dot name-with-emoji metadata-lone-surrogate"),
        reason=r"POST \S+/messages answered 500",
        make=lambda: change_status(500, on=Match("POST", "/messages$")),
    ),
)

OF_PAGES = (
    CataloguedFault(
        name="second-item-of-each-page-lost",
        kills=(*WALKS, *cases("REST-PAGES-002", f"{LIMITED} agent-tools agent-folders")),
        reason="1 missing|the list has its 5 items|number of items",
        make=lambda: drop_list_item(1, on=_LISTS),
    ),
    CataloguedFault(
        name="cursors-ignored",
        kills=(*WALKS, *cases("REST-PAGES-004", "archives conversations messages passages")),
        reason="^list walked .* (missing|repeats)|^items after the unknown cursor",
        make=lambda: ignore_cursors(on=_LISTS),
    ),
    CataloguedFault(
        name="limit-ignored",
        kills=(
            *cases("REST-PAGES-002", LIMITED),
            *cases("REST-PAGES-003", "archives conversations messages runs"),
        ),
        reason="^number of items|^items on a page of limit 0",
        make=lambda: rewrite_query(r"limit=\d+&?", "", on=_SURE_LISTS),
    ),
    CataloguedFault(
        name="walk-meets-ignored-cursors",
        kills=cases("REST-WALK-001", "agents", "passages"),
        reason="^the walk repeats",
        make=lambda: ignore_cursors(on=Match("GET", "/agents/$|/archival-memory$")),
    ),
    CataloguedFault(
        name="walk-meets-lost-items",
        kills=cases("REST-WALK-001", "blocks", "conversations"),
        reason="^items that were there all the time and were not given",
        make=lambda: drop_list_item(0, on=Match("GET", "/(blocks|conversations)/$")),
    ),
    CataloguedFault(
        name="walk-meets-another-order",
        kills=cases("REST-WALK-001", "archives"),
        reason="^the walk: ",
        make=lambda: reverse_list(on=Match("GET", "/archives/$")),
    ),
)
