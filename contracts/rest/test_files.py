"""Files: what is uploaded into a folder is read, cut into passages, listed and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, echoed, equal, refused, same_set, status, unchanged

from .files import TEXT, files_of, passages_of, pdf, processed, stored, upload

if TYPE_CHECKING:
    import httpx

    from .asking import Ask

_NEEDS = ["folders"]
_OTTERS = "Otters hold hands."


@pytest.mark.parametrize(
    ("name", "content", "kind", "expected"),
    [
        pytest.param("otters.txt", TEXT.encode(), "text/plain", TEXT, id="text"),
        pytest.param("otters.md", f"# Otters\n\n{TEXT}".encode(), "text/markdown", TEXT.strip(), id="markdown"),
        pytest.param("otters.json", b'{"otters": ["hold", "hands"]}', "application/json", '"hands"', id="json"),
        pytest.param("otters.pdf", pdf(_OTTERS), "application/pdf", _OTTERS, id="pdf"),
        # As browsers and SDKs send what they do not know.
        pytest.param("otters.py", b"OTTERS = 2\n", "application/octet-stream", "OTTERS = 2", id="code-by-its-name"),
    ],
)
@contract("REST-FILES-001", needs=_NEEDS, because="a file that is taken and not read answers no question")
def test_uploaded_file_is_read(
    letta_client: httpx.Client, folder: str, name: str, content: bytes, kind: str, expected: str
) -> None:
    """An uploaded file is completed without an error, has its name and size, and its text is in its content."""
    answer = upload(letta_client, folder, name, content, kind)
    must(status(answer))

    file = processed(letta_client, folder, answer.json()["id"])

    seen = f"status of the file, with the error {file.get('error_message')!r}"
    must(equal("completed", file["processing_status"], seen))
    must(echoed({"original_file_name": name, "file_size": len(content)}, file, "the file"))
    must(contains(file.get("content") or "", expected, "content of the file"))


@contract("REST-FILES-002", needs=_NEEDS, because="search goes over passages; a file without any is never found")
def test_file_is_cut_into_passages(letta_client: httpx.Client, folder: str) -> None:
    """The passages of a folder carry the text of its file and its id."""
    lines = [f"Line {number}: otter {number} holds hands with otter {number + 1}." for number in range(200)]
    file = stored(letta_client, folder, "many.txt", "\n".join(lines).encode())

    passages = passages_of(letta_client, folder)

    must(equal({file["id"]}, {one.get("file_id") for one in passages}, "files of the passages"))
    must(equal(file["total_chunks"], len(passages), "number of passages against the chunks of the file"))
    kept = "\n".join(one["text"] for one in passages)
    # A line may be cut by the end of a passage: then one half of it is whole.
    lost = [line for line in lines if line[: len(line) // 2] not in kept and line[len(line) // 2 :] not in kept]
    must(f"{len(lost)} of {len(lines)} lines are in no passage, the first is {lost[0]!r}" if lost else None)


@contract("REST-FILES-003", needs=_NEEDS, because="what is listed is what people believe to have uploaded")
def test_files_are_listed_and_deleted(letta_client: httpx.Client, folder: str) -> None:
    """The files of a folder are listed; a deleted one is gone with its passages, a second deletion is 404."""
    kept, gone = stored(letta_client, folder), stored(letta_client, folder, "gone.txt", b"Gone.")
    must(same_set([kept["id"], gone["id"]], files_of(letta_client, folder), "files of the folder"))

    must(status(letta_client.delete(f"{folder}/{gone['id']}"), 200, 204))

    must(same_set([kept["id"]], files_of(letta_client, folder), "files of the folder after the deletion"))
    of_files = {one["file_id"] for one in passages_of(letta_client, folder)}
    must(equal({kept["id"]}, of_files, "files of the passages after the deletion"))
    must(refused(letta_client.delete(f"{folder}/{gone['id']}"), 404, naming=gone["id"]))


@contract("REST-FILES-009", needs=_NEEDS, because="clients upload anew what is 404, and give up at what is 500")
def test_file_that_does_not_exist_is_refused(ask: Ask, folder: str, unknown: str) -> None:
    """Reading a file that the folder does not have is refused with 404 that names it."""
    must(refused(ask("GET", f"{folder}/files/file-{unknown}"), 404, naming=f"file-{unknown}"))


@contract("REST-FILES-017", needs=_NEEDS, because="what is kept of a file is its id")
def test_file_is_read_by_its_id(ask: Ask, letta_client: httpx.Client, folder: str) -> None:
    """A file that is read by its id is as the folder lists it, with its content when it is asked for."""
    file = stored(letta_client, folder)

    read = ask("GET", f"{folder}/files/{file['id']}", include_content=True)

    must(status(read) or unchanged(file, read.json(), "reading the file", but=["updated_at"]))


@contract("REST-FILES-007", needs=_NEEDS, because="a broken file must end as failed, and be told so")
def test_broken_pdf_ends_as_failed(letta_client: httpx.Client, folder: str) -> None:
    """A PDF that is none is refused, or ends with the status error and a message."""
    answer = upload(letta_client, folder, "broken.pdf", b"%PDF-1.4 this is no PDF", "application/pdf")
    if answer.is_error:
        must(refused(answer, 400, 415, 422))
        return

    file = processed(letta_client, folder, answer.json()["id"])

    must(equal("error", file["processing_status"], "status of the broken file"))
    must(None if file.get("error_message") else "the broken file carries no error_message")


@pytest.mark.parametrize(
    "below",
    ["", "/files", "/files/{file}", "/passages", "/agents"],
    ids=["itself", "files", "file", "passages", "agents"],
)
@contract("REST-SOURCES-001", needs=_NEEDS, because="clients of before 0.9 know folders as sources, by the same ids")
def test_folder_is_a_source_under_its_old_name(ask: Ask, letta_client: httpx.Client, folder: str, below: str) -> None:
    """Where sources are still served, a source is the folder of its id; where they are no more, it is 404 or 410."""
    path = below.format(file=stored(letta_client, folder)["id"])
    new = ask("GET", folder + path)
    must(status(new))

    old = letta_client.get(folder.replace("/folders/", "/sources/") + path)

    must(status(old, 200, 404, 410))
    if old.is_success:
        told, known = old.json(), new.json()
        if isinstance(known, dict) and isinstance(told, dict):  # sources tell of their database, too
            told = {field: told.get(field) for field in known}
        must(equal(known, told, f"what /v1/sources{below or '/{id}'} tells, against /v1/folders"))
