"""Folders of a whole organization: counted, and summed up with their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import status

from .files import TEXT, stored

if TYPE_CHECKING:
    import httpx

    from .asking import Ask

_NEEDS = ["folders"]


@pytest.mark.parametrize("kind", ["folders", "sources"])
@contract("REST-FOLDERS-001", needs=_NEEDS, because="pages of folders are planned by their number")
def test_folders_are_counted(ask: Ask, folder: str, kind: str) -> None:
    """The number of folders, under both names, is a number, and at least one when there is one."""
    answer = ask("GET", f"/v1/{kind}/count")

    must(status(answer))
    told = answer.json()
    must(None if isinstance(told, int) and told >= 1 else f"{told!r} folders, of which {folder} is one")


@contract("REST-FOLDERS-002", needs=_NEEDS, because="who pays for storage asks how much there is")
def test_folders_are_summed_up(ask: Ask, letta_client: httpx.Client, folder: str) -> None:
    """The sums over all folders hold at least what is in one of them."""
    stored(letta_client, folder)

    answer = ask("GET", "/v1/folders/metadata")

    must(status(answer))
    least = {"total_sources": 1, "total_files": 1, "total_size": len(TEXT.encode())}
    short = {field: answer.json().get(field) for field, value in least.items() if answer.json().get(field, 0) < value}
    must(f"less than what one folder has: {short}" if short else None)
