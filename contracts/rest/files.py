"""Uploads of files into folders, and what becomes of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pytest_letta import must
from pytest_letta.conformance.checks import status
from pytest_letta.telling import answered, shorten

if TYPE_CHECKING:
    import httpx

TEXT = "Otters hold hands while they sleep.\n\nZo\u00eb saw it: \u4e16\u754c \U0001f9a6.\n"
_OPEN = ("pending", "parsing", "embedding")


def pdf(text: str) -> bytes:
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


def upload(
    client: httpx.Client, folder: str, filename: str, content: bytes, kind: str = "text/plain", **query: str
) -> httpx.Response:
    """Upload a file into the folder at that path."""
    return client.post(f"{folder}/upload", files={"file": (filename, content, kind)}, params=query)


def processed(client: httpx.Client, folder: str, id: str) -> dict[str, Any]:
    """Return a file with its content, as the folder lists it, as soon as it is no longer worked on.

    It may take as long as a request of this run may: embedding is as slow as the service that does it.
    """
    timeout_s = client.timeout.read or 60.0
    deadline = time.monotonic() + timeout_s
    while True:
        answer = client.get(f"{folder}/files", params={"include_content": True})
        must(status(answer))
        (file,) = [one for one in answer.json() if one["id"] == id] or [{}]
        must(None if file else f"the uploaded file {id} is not among those of its folder: {answered(answer)}")
        if file["processing_status"] not in _OPEN:
            return dict(file)
        is_late = time.monotonic() > deadline
        must(f"a file is worked on for {timeout_s:g} s: {shorten(file)}" if is_late else None)
        time.sleep(0.1)


def stored(
    client: httpx.Client, folder: str, name: str = "otters.txt", content: bytes = TEXT.encode(), **query: str
) -> dict[str, Any]:
    """Upload a text and return it once it is no longer worked on."""
    answer = upload(client, folder, name, content, **query)
    must(status(answer))
    return processed(client, folder, answer.json()["id"])


def files_of(client: httpx.Client, folder: str) -> list[str]:
    """Return the ids of the files in a folder."""
    answer = client.get(f"{folder}/files")
    must(status(answer))
    return [str(one["id"]) for one in answer.json()]


def passages_of(client: httpx.Client, folder: str) -> list[dict[str, Any]]:
    """Return the passages of the files in a folder."""
    answer = client.get(f"{folder}/passages", params={"limit": 200})
    must(status(answer))
    return list(answer.json())
