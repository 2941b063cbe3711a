"""Passages that are written into an archive itself: kept as sent, found, and gone when deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import echoed, equal, refused, same_set, status

if TYPE_CHECKING:
    from pytest_letta.handles import Handles
    from pytest_letta.ownership import Ledger

    from .asking import Ask

_NEEDS = ["archives", "archival_search"]
_PASSAGE = {"text": "Otters hold hands when they sleep.", "tags": ["two words"], "metadata": {"page": [1]}}


@pytest.fixture
def archive(ask: Ask, letta_ledger: Ledger, letta_handles: Handles) -> str:
    """The id of an archive of our own."""
    answer = ask("POST", "/v1/archives/", {"name": letta_ledger.name(), **letta_handles.embedding_fields()})
    must(status(answer, 200, 201))
    return str(answer.json()["id"])


def _found(ask: Ask, archive: str, query: str) -> list[dict[str, Any]]:
    answer = ask("POST", "/v1/passages/search", {"query": query, "archive_id": archive, "limit": 10})
    must(status(answer))
    return [one["passage"] for one in answer.json()]


@contract("REST-ARCHIVES-001", needs=_NEEDS, because="importers write into an archive before any agent has it")
def test_passage_of_an_archive_is_kept_and_found(ask: Ask, archive: str) -> None:
    """A passage that is written into an archive comes back as it was sent, and a search finds it so."""
    answer = ask("POST", f"/v1/archives/{archive}/passages", _PASSAGE)
    must(status(answer, 200, 201))
    expected = {**_PASSAGE, "archive_id": archive, "id": answer.json()["id"]}

    must(echoed(expected, answer.json(), "the new passage"))
    found = _found(ask, archive, "otters sleep")
    must(equal(1, len(found), "passages that the search finds") or echoed(expected, found[0], "the found passage"))


@contract("REST-ARCHIVES-002", needs=_NEEDS, because="what was deleted must not be found again")
def test_deleted_passage_of_an_archive_is_gone(ask: Ask, archive: str) -> None:
    """A passage that is deleted from an archive is found no more, a second deletion is 404, and the others stay."""
    path = f"/v1/archives/{archive}/passages"
    gone, kept = (ask("POST", path, {"text": f"Otters {what}."}) for what in ("sleep", "swim"))
    must(status(gone) or status(kept))

    must(status(ask("DELETE", f"{path}/{gone.json()['id']}"), 200, 204))

    found = [one["id"] for one in _found(ask, archive, "otters")]
    must(same_set([kept.json()["id"]], found, "passages that the search finds"))
    must(refused(ask("DELETE", f"{path}/{gone.json()['id']}"), 404, naming=gone.json()["id"]))
