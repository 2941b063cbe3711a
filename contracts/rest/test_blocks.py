"""Blocks by their own route: what was sent comes back, is found by label, changes as asked and goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import echoed, equal, refused, same_set, status, unchanged

if TYPE_CHECKING:
    from pytest_letta.ownership import Ledger

    from .asking import Ask

_FIELDS: dict[str, dict[str, Any]] = {
    "value": {"value": 'Zoë: {{x}} "q"\n <b> '},
    "empty-value": {"value": ""},
    "limit": {"limit": 4321},
    "description": {"description": "What this is: Zoë's (1)."},
    "metadata": {"metadata": {"a": {"b": [1, 2.5, None, "ü"]}}},
    "read-only": {"read_only": True},
}


def _make(ask: Ask, label: str, **fields: Any) -> dict[str, Any]:
    answer = ask("POST", "/v1/blocks/", {"label": label, "value": "Before.", **fields})
    must(status(answer))
    return dict(answer.json())


def _read(ask: Ask, id: str) -> dict[str, Any]:
    answer = ask("GET", f"/v1/blocks/{id}")
    must(status(answer))
    return dict(answer.json())


def _listed(ask: Ask, label: str) -> list[dict[str, Any]]:
    answer = ask("GET", "/v1/blocks/", label=label, limit=50)
    must(status(answer))
    return list(answer.json())


@pytest.mark.parametrize("fields", [pytest.param(fields, id=case) for case, fields in _FIELDS.items()])
@contract(
    "REST-BLOCKS-001",
    needs=["blocks"],
    because="blocks are what a restore from a backup writes first: acertainKnight/project-thoth commit 7a74a68",
)
def test_new_block_has_the_fields_that_were_sent(ask: Ask, letta_ledger: Ledger, fields: dict[str, Any]) -> None:
    """Making a block gives back its label and the fields that were sent, and so do reading and listing it."""
    label = letta_ledger.name()

    block = _make(ask, label, **fields)

    sent = {"label": label, **fields}
    must(echoed(sent, block, "the new block"))
    must(unchanged(block, _read(ask, block["id"]), "reading the new block"))
    listed = _listed(ask, label)
    must(
        equal(1, len(listed), "number of blocks listed by their label")
        or unchanged(block, listed[0], "listing the new block")
    )


@contract("REST-BLOCKS-002", needs=["blocks"], because="a shared server holds the blocks of many projects")
def test_label_selects_exactly_the_blocks_that_have_it(ask: Ask, letta_ledger: Ledger) -> None:
    """Listing by label gives every block that has exactly that label, and the count agrees."""
    label = letta_ledger.name()
    twins = [_make(ask, label)["id"] for _ in range(2)]
    for other in (f"{label}-longer", label.upper()):
        _make(ask, other)

    must(same_set(twins, [block["id"] for block in _listed(ask, label)], "blocks listed by their label"))
    must(equal([], _listed(ask, label[:-1] + "-none"), "blocks listed by a label that none has"))
    counted = ask("GET", "/v1/blocks/count", label=label)
    must(status(counted) or equal(2, counted.json(), "count of blocks by their label"))


@pytest.mark.parametrize("fields", [pytest.param(fields, id=case) for case, fields in _FIELDS.items()])
@contract(
    "REST-BLOCKS-003",
    needs=["blocks"],
    because="an edit that resets the limit or the description harms every agent that holds the block",
)
def test_update_of_a_block_changes_what_was_sent(ask: Ask, letta_ledger: Ledger, fields: dict[str, Any]) -> None:
    """Updating a block changes the fields that were sent, in the answer and when read, and no other field."""
    block = _make(ask, letta_ledger.name(), description="Before.", metadata={"old": 1}, limit=2000)
    before = _read(ask, block["id"])

    answer = ask("PATCH", f"/v1/blocks/{block['id']}", fields)

    must(status(answer) or echoed(fields, answer.json(), "the answer to the update"))
    after = _read(ask, block["id"])
    must(echoed(fields, after, "the block when read after the update"))
    must(
        unchanged(
            before, after, f"the update of {', '.join(fields)}", but=[*fields, "updated_at", "last_updated_by_id"]
        )
    )


@contract(
    "REST-BLOCKS-004",
    needs=["blocks"],
    because="a block that was renamed and is found by its old label is edited in two places",
)
def test_renamed_block_is_found_by_its_new_label_only(ask: Ask, letta_ledger: Ledger) -> None:
    """A block whose label was changed is listed by the new label, and no longer by the old one."""
    old, new = letta_ledger.name(), letta_ledger.name()
    block = _make(ask, old)

    must(status(ask("PATCH", f"/v1/blocks/{block['id']}", {"label": new})))

    must(equal([block["id"]], [each["id"] for each in _listed(ask, new)], "blocks listed by the new label"))
    must(equal([], _listed(ask, old), "blocks listed by the old label"))


@contract("REST-BLOCKS-005", needs=["blocks"], because="what was deleted must not come back, nor be counted")
def test_deleted_block_is_gone_and_its_twin_stays(ask: Ask, letta_ledger: Ledger) -> None:
    """A deleted block is gone by id, from the list and from the count; deleting or updating it again is 404."""
    label = letta_ledger.name()
    block, twin = _make(ask, label), _make(ask, label)
    path = f"/v1/blocks/{block['id']}"

    must(status(ask("DELETE", path), 200, 204))

    must(refused(ask("GET", path), 404, naming=block["id"]))
    must(equal([twin["id"]], [each["id"] for each in _listed(ask, label)], "blocks after the deletion"))
    counted = ask("GET", "/v1/blocks/count", label=label)
    must(status(counted) or equal(1, counted.json(), "count of blocks after the deletion"))
    must(refused(ask("DELETE", path), 404, naming=block["id"]))
    must(refused(ask("PATCH", path, {"value": "Back."}), 404, naming=block["id"]))
