"""Faults of resources of any kind: part of the REST suite's catalogue."""

from __future__ import annotations

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.fault import CataloguedFault, Match, together
from pytest_letta.faults.rest import (
    change_request_text,
    change_status,
    drop_request_field,
    replace_body,
    set_request_field,
    set_response_field,
)
from pytest_letta.faults.surface import forget_first_deletion, rewrite_query
from pytest_letta.faults.writes import swallow_write

_KINDS = "archives|conversations|folders|groups|identities|providers|sources|tools"
_NEW = Match("POST", f"^/v1/({_KINDS})/$")
_LISTS = Match("GET", f"^/v1/({_KINDS})/$")
_UPDATES = Match("PATCH", f"^/v1/({_KINDS})/[^/]+$")
# Others refuse a field that they do not know.
_DESCRIBED = Match("PATCH", "^/v1/(archives|folders|groups|sources|tools)/[^/]+$")
_DELETIONS = Match("DELETE", f"^/v1/({_KINDS})/[^/]+$")

_ALL = "archives conversations folders groups identities providers sources tools"
_SELECTED = "archives conversations folders identities providers tools"
_EXACT = "archives identities providers tools"
_FILTERS = (
    "conversations-summary identities-name identities-project identities-type providers-type tools-names "
    "tools-search tools-type tools-not-type"
)
# Without those that Letta 0.16.8 fails by itself: no fault can show that they are able to fail.
_DELETED = "archives conversations folders groups identities sources tools"
_DELETED_AGAIN = "archives conversations folders groups identities providers sources"
_DESCRIBED_UPDATES = (
    "archives-description archives-name folders-description folders-instructions folders-metadata folders-name "
    "groups-description groups-members sources-description sources-metadata sources-name tools-approval "
    "tools-description tools-parallel tools-return-char-limit tools-tags"
)
_UPDATES_BY_KIND = f"{_DESCRIBED_UPDATES} conversations-summary identities-key identities-name providers-key"

OF_RESOURCES = (
    CataloguedFault(
        name="fields-of-new-resources-dropped",
        kills=(*cases("REST-RESOURCE-001", _ALL), *cases("REST-RESOURCE-009", "conversations-summary")),
        reason="^the new resource does not give back what was sent|^ids listed by .* 1 missing",
        make=lambda: together(
            change_request_text("description", lambda _: "Lost.", on=_NEW),
            change_request_text("summary", lambda _: "Lost.", on=_NEW),
            *(drop_request_field(field, on=_NEW) for field in ("properties", "tags")),
            set_response_field("base_url", "http://elsewhere/v1", on=_NEW),
        ),
    ),
    CataloguedFault(
        name="lists-of-resources-empty",
        kills=(
            *cases("REST-RESOURCE-002", _ALL),
            *cases("REST-RESOURCE-003", _SELECTED),
            *cases("REST-RESOURCE-005", _DELETED),
            *cases("REST-RESOURCE-009", _FILTERS),
        ),
        reason="list has the new resource: expected 1, got 0|^ids listed by .* missing|does not contain",
        make=lambda: replace_body(b"[]", on=_LISTS),
    ),
    CataloguedFault(
        name="filters-of-resources-ignored",
        kills=(*cases("REST-RESOURCE-003", _SELECTED), *cases("REST-RESOURCE-009", _FILTERS)),
        reason="^ids listed by .* unexpected",
        make=lambda: rewrite_query(".+", "order=desc&limit=100", on=_LISTS),
    ),
    CataloguedFault(
        name="names-taken-for-what-they-begin-with",
        kills=(
            *cases("REST-RESOURCE-003", _EXACT),
            *cases("REST-RESOURCE-009", "conversations-summary identities-project tools-names tools-search"),
        ),
        reason="^ids listed by .*longer.* 1 unexpected",
        make=lambda: rewrite_query("[-_]longer", "", on=_LISTS),
    ),
    CataloguedFault(
        name="updates-of-resources-acknowledged-but-dropped",
        kills=(
            *cases("REST-RESOURCE-004", _UPDATES_BY_KIND),
            *cases("REST-RESOURCE-006", _DELETED_AGAIN),
            *cases("REST-RESOURCE-007", _ALL),
        ),
        reason="when read after the update does not give back|PATCH .* answered 200.*expected 4",
        make=lambda: swallow_write("merged", on=_UPDATES),
    ),
    CataloguedFault(
        name="update-of-resource-resets-description",
        kills=cases("REST-RESOURCE-004", _DESCRIBED_UPDATES),
        reason="changed what was not asked for: description|description is Reset",
        make=lambda: set_request_field("description", "Reset.", on=_DESCRIBED),
    ),
    CataloguedFault(
        name="deletions-of-resources-forgotten",
        kills=(
            *cases("REST-RESOURCE-005", _DELETED),
            *cases("REST-RESOURCE-006", _DELETED_AGAIN),
            *cases("REST-RESOURCE-007", _ALL),
        ),
        reason=r"(GET|PATCH|DELETE) \S+ answered 200.*expected 4",
        make=lambda: forget_first_deletion(on=_DELETIONS),
    ),
    CataloguedFault(
        name="wrong-ids-found",
        kills=cases("REST-RESOURCE-007", _ALL),
        reason="GET .* answered 200.*expected 422 or 404 or 400",
        make=lambda: change_status(200, only=(400, 404, 422), on=Match(path=f"^/v1/({_KINDS})/(agent-|no-id)")),
    ),
    CataloguedFault(
        name="wrong-types-taken",
        kills=cases("REST-RESOURCE-008", _ALL),
        reason="POST .* answered 200.*expected 422",
        make=lambda: change_status(200, only=422, on=_NEW),
    ),
)
