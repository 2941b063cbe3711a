"""Uploads: what is no file for Letta is refused, and a second file of a name is dealt with as asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, echoed, equal, refused, same_set, status

from .files import TEXT, files_of, processed, stored, upload

if TYPE_CHECKING:
    import httpx

_NEEDS = ["folders"]
_SECOND = "a second upload must not overwrite what is there without a word, nor add to it unasked"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        pytest.param("otters.png", b"\x89PNG\r\n\x1a\n" + bytes(64), "image/png", id="image"),
        pytest.param("otters.bin", bytes(range(256)), "application/octet-stream", id="binary"),
    ],
)
@contract("REST-FILES-006", needs=_NEEDS, because="a file that cannot be read must be told, not taken and forgotten")
def test_file_of_an_unknown_kind_is_refused(
    letta_client: httpx.Client, folder: str, name: str, content: bytes, kind: str
) -> None:
    """A file of a kind that is not read is refused as such, and the folder stays empty."""
    answer = upload(letta_client, folder, name, content, kind)

    must(refused(answer, 415, 400, 422, naming="type"))
    must(equal([], files_of(letta_client, folder), "files of the folder after the refusal"))


@contract("REST-FILES-008", needs=_NEEDS, because=_SECOND)
def test_two_files_of_one_name_are_told_apart(letta_client: httpx.Client, folder: str) -> None:
    """A second file of the same name gets a name of its own, or is refused with 409 by its name; the first stays."""
    first = stored(letta_client, folder)

    answer = upload(letta_client, folder, "otters.txt", b"Another.")

    if answer.is_error:
        must(refused(answer, 409, naming="otters.txt"))
    else:
        second = processed(letta_client, folder, answer.json()["id"])
        must(contains(second.get("content") or "", "Another.", "content of the second file"))
        names = {first["file_name"], second["file_name"]}
        must(equal(2, len(names), f"number of names of two files: {sorted(names)}"))
    content = processed(letta_client, folder, first["id"])["content"]
    must(contains(content, TEXT, "content of the first file"))


@pytest.mark.parametrize("handling", ["skip", "replace"])
@contract("REST-FILES-010", needs=_NEEDS, because=_SECOND)
def test_second_file_of_a_name_is_skipped_or_replaces_the_first(
    letta_client: httpx.Client, folder: str, handling: str
) -> None:
    """With duplicate_handling skip the first file of a name stays, with replace the second takes its place."""
    first = stored(letta_client, folder)

    second = stored(letta_client, folder, content=b"Another.", duplicate_handling=handling)

    must(same_set([second["id"]], files_of(letta_client, folder), "files of the folder"))
    must(None if handling == "replace" else equal(first["id"], second["id"], "id of the skipped file"))
    expected = "Another." if handling == "replace" else TEXT
    must(equal(expected, second.get("content"), "content of the file of that name"))


@contract("REST-FILES-011", needs=_NEEDS, because=_SECOND)
def test_second_file_of_a_name_is_an_error(letta_client: httpx.Client, folder: str) -> None:
    """With duplicate_handling error a second file of a name is refused by that name, and the first stays alone."""
    first = stored(letta_client, folder)

    answer = upload(letta_client, folder, "otters.txt", b"Another.", duplicate_handling="error")

    must(refused(answer, 400, 409, naming="otters.txt"))
    must(same_set([first["id"]], files_of(letta_client, folder), "files of the folder after the refusal"))


@contract("REST-FILES-012", needs=_NEEDS, because="who cannot name the file on his disk names it at the upload")
def test_file_is_named_at_the_upload(letta_client: httpx.Client, folder: str) -> None:
    """A file that is uploaded under another name has that name."""
    answer = upload(letta_client, folder, "otters.txt", TEXT.encode(), name="named (1).txt")
    must(status(answer))

    file = processed(letta_client, folder, answer.json()["id"])

    must(echoed({"original_file_name": "named (1).txt", "content": TEXT}, file, "the file"))
