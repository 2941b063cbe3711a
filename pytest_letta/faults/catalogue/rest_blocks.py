"""Faults of blocks: part of the REST suite's catalogue."""

from __future__ import annotations

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.catalogue.rest_cases import BLOCK_FIELDS
from pytest_letta.faults.fault import CataloguedFault, Match, together
from pytest_letta.faults.rest import drop_request_field, set_request_field
from pytest_letta.faults.surface import forget_first_deletion, rewrite_query
from pytest_letta.faults.writes import swallow_write

_NEW_BLOCK = Match("POST", "/blocks/$")

OF_BLOCKS = (
    CataloguedFault(
        name="block-fields-dropped",
        kills=cases("REST-BLOCKS-001", BLOCK_FIELDS),
        reason="^the new block does not give back what was sent",
        make=lambda: together(
            set_request_field("value", "x", on=_NEW_BLOCK),
            *(
                drop_request_field(field, on=_NEW_BLOCK)
                for field in ("limit", "description", "metadata", "read_only")
            ),
        ),
    ),
    CataloguedFault(
        name="label-taken-for-a-part-of-it",
        kills=("REST-BLOCKS-002",),
        reason="^blocks listed by their label: 0 missing .* unexpected",
        make=lambda: rewrite_query("label=", "label_search=", on=Match("GET", "/blocks/$")),
    ),
    CataloguedFault(
        name="block-updates-acknowledged-but-dropped",
        kills=(*cases("REST-BLOCKS-003", BLOCK_FIELDS), "REST-BLOCKS-004", "REST-BLOCKS-005"),
        reason="when read after the update does not give back|listed by the new label|PATCH .* answered 200",
        make=lambda: swallow_write("merged", on=Match("PATCH", "/v1/blocks/block-[^/]+$")),
    ),
    CataloguedFault(
        name="block-deletion-forgotten",
        kills=("REST-BLOCKS-005",),
        reason=r"GET /v1/blocks/\S+ answered 200.*expected 404",
        make=lambda: forget_first_deletion(on=Match("DELETE", "/v1/blocks/block-[^/]+$")),
    ),
)
