"""Files: what is uploaded into a folder is read, cut into passages, seen by agents that hold the folder, and goes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, echoed, equal, refused, same_set, status
from pytest_letta.telling import answered

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent
    from pytest_letta.handles import Handles
    from pytest_letta.ownership import Ledger

    from .conftest import Ask

_NEEDS = ["folders"]
_TEXT = "Otters hold hands while they sleep.\n\nZo\u00eb saw it: \u4e16\u754c \U0001f9a6.\n"
_PROCESSED_S = 60.0
_OPEN = ("pending", "parsing", "embedding")


def _pdf(text: str) -> bytes:
    """Return a PDF of one page with one line of ASCII (ISO 32000-1, 7.5)."""
    drawn = f"BT /F1 18 Tf 72 720 Td ({text}) Tj ET".encode("ascii")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawn), drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    written, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    table = b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, rows)
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(written))
    return written + table + end


@pytest.fixture
def folder(ask: Ask, letta_handles: Handles, letta_ledger: Ledger) -> str:
    """The path of an empty folder."""
    answer = ask("POST", "/v1/folders/", {"name": letta_ledger.name(), "embedding": letta_handles.embedding})
    must(status(answer))
    return f"/v1/folders/{answer.json()['id']}"


def _upload(client: httpx.Client, folder: str, name: str, content: bytes, kind: str) -> httpx.Response:
    return client.post(f"{folder}/upload", files={"file": (name, content, kind)})


def _processed(client: httpx.Client, folder: str, id: str) -> dict[str, Any]:
    """Return a file with its content as soon as it is no longer worked on."""
    deadline = time.monotonic() + _PROCESSED_S
    while True:
        answer = client.get(f"{folder}/files/{id}", params={"include_content": True})
        must(status(answer))
        if answer.json()["processing_status"] not in _OPEN:
            return dict(answer.json())
        must(
            None if time.monotonic() < deadline else f"a file is worked on for {_PROCESSED_S:g} s: {answered(answer)}"
        )
        time.sleep(0.1)


def _stored(
    client: httpx.Client, folder: str, name: str = "otters.txt", content: bytes | None = None
) -> dict[str, Any]:
    answer = _upload(client, folder, name, _TEXT.encode() if content is None else content, "text/plain")
    must(status(answer))
    return _processed(client, folder, answer.json()["id"])


@pytest.mark.parametrize(
    ("name", "content", "kind", "expected"),
    [
        pytest.param("otters.txt", _TEXT.encode(), "text/plain", _TEXT, id="text"),
        pytest.param("otters.md", f"# Otters\n\n{_TEXT}".encode(), "text/markdown", _TEXT.strip(), id="markdown"),
        pytest.param("otters.json", b'{"otters": ["hold", "hands"]}', "application/json", '"hands"', id="json"),
        pytest.param("otters.pdf", _pdf("Otters hold hands."), "application/pdf", "Otters hold hands.", id="pdf"),
    ],
)
@contract("REST-FILES-001", needs=_NEEDS, because="a file that is taken and not read answers no question")
def test_uploaded_file_is_read(
    letta_client: httpx.Client, folder: str, name: str, content: bytes, kind: str, expected: str
) -> None:
    """An uploaded file is completed without an error, has its name and size, and its text is in its content."""
    answer = _upload(letta_client, folder, name, content, kind)
    must(status(answer))

    file = _processed(letta_client, folder, answer.json()["id"])

    seen = f"status of the file, with the error {file.get('error_message')!r}"
    must(equal("completed", file["processing_status"], seen))
    must(echoed({"original_file_name": name, "file_size": len(content)}, file, "the file"))
    must(contains(file.get("content") or "", expected, "content of the file"))


@contract("REST-FILES-002", needs=_NEEDS, because="search goes over passages; a file without any is never found")
def test_file_is_cut_into_passages(letta_client: httpx.Client, folder: str) -> None:
    """The passages of a folder carry the text of its file, its id and its folder."""
    lines = [f"Line {number}: otter {number} holds hands with otter {number + 1}.\n" for number in range(200)]
    file = _stored(letta_client, folder, "many.txt", "".join(lines).encode())

    answer = letta_client.get(f"{folder}/passages", params={"limit": 200})

    must(status(answer))
    must(equal({file["id"]}, {one.get("file_id") for one in answer.json()}, "files of the passages"))
    must(equal(file["total_chunks"], len(answer.json()), "number of passages against the chunks of the file"))
    kept = "".join(one["text"] for one in answer.json())
    lost = [line for line in lines if line.strip() not in kept]
    must(f"{len(lost)} of {len(lines)} lines are in no passage, the first is {lost[0]!r}" if lost else None)


@contract("REST-FILES-003", needs=_NEEDS, because="what is listed is what people believe to have uploaded")
def test_files_are_listed_and_deleted(letta_client: httpx.Client, folder: str) -> None:
    """The files of a folder are listed; a deleted one is gone with its passages, a second deletion is 404."""
    kept, gone = _stored(letta_client, folder), _stored(letta_client, folder, "gone.txt", b"Gone.")
    must(same_set([kept["id"], gone["id"]], _files_of(letta_client, folder), "files of the folder"))

    must(status(letta_client.delete(f"{folder}/{gone['id']}"), 200, 204))

    must(same_set([kept["id"]], _files_of(letta_client, folder), "files of the folder after the deletion"))
    must(refused(letta_client.get(f"{folder}/files/{gone['id']}"), 404, naming=gone["id"]))
    must(refused(letta_client.delete(f"{folder}/{gone['id']}"), 404, naming=gone["id"]))
    passages = letta_client.get(f"{folder}/passages", params={"limit": 50})
    must(status(passages) or equal({kept["id"]}, {one["file_id"] for one in passages.json()}, "files of passages"))


@contract(
    "REST-FILES-004", needs=[*_NEEDS, "agents"], because="an agent that holds a folder is asked about its files"
)
def test_agent_sees_the_files_of_its_folder(letta_client: httpx.Client, letta_agent: Agent, folder: str) -> None:
    """An agent to which a folder is attached has its files, open ones with their text; detached, it has none."""
    file = _stored(letta_client, folder)
    id = folder.rpartition("/")[2]

    must(status(letta_client.patch(f"{letta_agent.path}/folders/attach/{id}")))

    seen = _seen_by(letta_client, letta_agent)
    must(equal([file["id"]], [one["file_id"] for one in seen], "files of the agent"))
    must(contains(seen[0].get("visible_content") or "", "Otters hold hands", "what the agent sees of the file"))
    must(equal([letta_agent.id], letta_client.get(f"{folder}/agents").json(), "agents of the folder"))

    must(status(letta_client.patch(f"{letta_agent.path}/folders/detach/{id}")))
    must(equal([], _seen_by(letta_client, letta_agent), "files of the agent after the detachment"))
    must(equal([], letta_client.get(f"{folder}/agents").json(), "agents of the folder after the detachment"))


@contract(
    "REST-FILES-005", needs=[*_NEEDS, "agents"], because="open files fill the prompt; closing them must free it"
)
def test_agent_opens_and_closes_files(letta_client: httpx.Client, letta_agent: Agent, folder: str) -> None:
    """A file of an agent is open or closed as asked for, alone or with all others."""
    file = _stored(letta_client, folder)
    path = f"{letta_agent.path}/files"
    must(status(letta_client.patch(f"{letta_agent.path}/folders/attach/{folder.rpartition('/')[2]}")))

    for ending, is_open in ((f"{file['id']}/close", False), (f"{file['id']}/open", True), ("close-all", False)):
        must(status(letta_client.patch(f"{path}/{ending}")))
        states = [one["is_open"] for one in _seen_by(letta_client, letta_agent)]
        must(equal([is_open], states, f"whether the file is open after {ending.rpartition('/')[2]}"))


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
    answer = _upload(letta_client, folder, name, content, kind)

    must(refused(answer, 415, 400, 422, naming="type"))
    must(equal([], _files_of(letta_client, folder), "files of the folder after the refusal"))


@contract("REST-FILES-007", needs=_NEEDS, because="a broken file must end as failed, and be told so")
def test_broken_pdf_ends_as_failed(letta_client: httpx.Client, folder: str) -> None:
    """A PDF that is none is refused, or ends with the status error and a message."""
    answer = _upload(letta_client, folder, "broken.pdf", b"%PDF-1.4 this is no PDF", "application/pdf")
    if answer.is_error:
        must(refused(answer, 400, 415, 422))
        return

    file = _processed(letta_client, folder, answer.json()["id"])

    must(equal("error", file["processing_status"], "status of the broken file"))
    must(None if file.get("error_message") else "the broken file carries no error_message")


@contract("REST-FILES-008", needs=_NEEDS, because="a second upload must not overwrite what is there without a word")
def test_two_files_of_one_name_are_told_apart(letta_client: httpx.Client, folder: str) -> None:
    """A second file of the same name gets a name of its own, or is refused with 409 by its name; the first stays."""
    first = _stored(letta_client, folder)

    answer = _upload(letta_client, folder, "otters.txt", b"Another.", "text/plain")

    if answer.is_error:
        must(refused(answer, 409, naming="otters.txt"))
    else:
        second = _processed(letta_client, folder, answer.json()["id"])
        names = {first["file_name"], second["file_name"]}
        must(equal(2, len(names), f"number of names of two files: {sorted(names)}"))
    must(
        contains(_processed(letta_client, folder, first["id"])["content"], "Otters hold", "content of the first file")
    )


def _files_of(client: httpx.Client, folder: str) -> list[str]:
    answer = client.get(f"{folder}/files")
    must(status(answer))
    return [str(one["id"]) for one in answer.json()]


def _seen_by(client: httpx.Client, agent: Agent) -> list[dict[str, Any]]:
    answer = client.get(f"{agent.path}/files")
    must(status(answer))
    return list(answer.json()["files"])
