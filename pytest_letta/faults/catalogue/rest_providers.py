"""Faults of providers: part of the catalogue of the REST suite."""

from __future__ import annotations

from pytest_letta.faults.fault import CataloguedFault, Match
from pytest_letta.faults.rest import change_status, set_response_field

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
