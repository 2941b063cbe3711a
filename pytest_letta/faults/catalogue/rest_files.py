"""Faults of files, uploads and what agents see of them: part of the REST suite's catalogue."""

from __future__ import annotations

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.fault import CataloguedFault, Fault, Match, together
from pytest_letta.faults.rest import (
    answer,
    change_status,
    drop_list_item,
    drop_parameter,
    replace_body,
    set_response_field,
)
from pytest_letta.faults.surface import forget_first_deletion

_UPLOAD = Match("POST", "/upload$")


def _set_in_files(field: str, value: str) -> Fault:
    listed, alone = (Match("GET", f"/folders/[^/]+/files{end}$") for end in ("", "/file-[^/]+"))
    return together(set_response_field(f"*.{field}", value, on=listed), set_response_field(field, value, on=alone))


_OF_FILES = (
    CataloguedFault(
        name="content-of-files-lost",
        kills=(
            *cases("REST-FILES-001", "text", "markdown", "json", "pdf", "code-by-its-name"),
            "REST-FILES-008",
            *cases("REST-FILES-010", "skip", "replace"),
            "REST-FILES-012",
        ),
        reason="^content of the (second )?file|^the file does not give back what was sent: content",
        make=lambda: _set_in_files("content", ""),
    ),
    CataloguedFault(
        name="file-by-its-id-is-another",
        kills=("REST-FILES-017",),
        reason="^reading the file changed what was not asked for: file_size",
        make=lambda: set_response_field("file_size", 1, on=Match("GET", "/folders/[^/]+/files/file-")),
    ),
    CataloguedFault(
        name="passage-of-file-lost",
        kills=("REST-FILES-002", "REST-FILES-003"),
        reason="^number of passages against the chunks of the file|^files of the passages",
        make=lambda: drop_list_item(on=Match("GET", "/folders/[^/]+/passages$")),
    ),
    CataloguedFault(
        name="deletion-of-file-forgotten",
        kills=("REST-FILES-003", "REST-FILES-013"),
        reason="^files of the (folder|agent) after the deletion",
        make=lambda: forget_first_deletion(on=Match("DELETE", "/folders/[^/]+/file-")),
    ),
    CataloguedFault(
        name="folders-not-counted",
        kills=cases("REST-FOLDERS-001", "folders", "sources"),
        reason="^0 folders, of which",
        make=lambda: replace_body(b"0", on=Match("GET", "/count$")),
    ),
    CataloguedFault(
        name="sources-crash",
        kills=cases("REST-SOURCES-001", "itself", "files", "file", "passages", "agents"),
        reason=r"^GET /v1/sources/\S+ answered 500",
        make=lambda: change_status(500, on=Match("GET", "^/v1/sources/")),
    ),
    CataloguedFault(
        name="source-under-another-name",
        kills=cases("REST-SOURCES-001", "itself"),
        reason="^what /v1/sources/{id} tells, against /v1/folders: expected",
        make=lambda: set_response_field("name", "another", on=Match("GET", "^/v1/sources/")),
    ),
)

_OF_UPLOADS = (
    CataloguedFault(
        name="refused-file-taken",
        kills=cases("REST-FILES-006", "image", "binary"),
        reason="/upload answered 200.*expected 415",
        make=lambda: change_status(200, only=415, on=_UPLOAD),
    ),
    CataloguedFault(
        name="second-file-under-the-same-name",
        kills=("REST-FILES-008",),
        reason="^number of names of two files: .* expected 2, got 1",
        make=lambda: _set_in_files("file_name", "otters.txt"),
    ),
    CataloguedFault(
        name="wish-about-second-file-ignored",
        kills=(*cases("REST-FILES-010", "skip", "replace"), "REST-FILES-011"),
        reason="^files of the folder: 1 missing|^files of the folder: 0 missing .* 1 unexpected|answered 200",
        make=lambda: drop_parameter("duplicate_handling", on=_UPLOAD),
    ),
    CataloguedFault(
        name="wished-name-of-file-ignored",
        kills=("REST-FILES-012",),
        reason="^the file does not give back what was sent: original_file_name is otters.txt",
        make=lambda: drop_parameter("name", on=_UPLOAD),
    ),
)

_OF_AGENT_FILES = (
    CataloguedFault(
        name="attachment-of-folder-forgotten",
        kills=(
            "REST-FILES-004",
            "REST-FILES-005",
            "REST-FILES-013",
            *cases("REST-FILES-015", "by-pattern", "by-meaning"),
        ),
        reason=r"^files of the agent|/close answered 404|^what the model was told of the call does not contain",
        make=lambda: answer(200, b"{}", on=Match("PATCH", "/folders/attach/")),
    ),
    CataloguedFault(
        name="detachment-of-folder-forgotten",
        kills=("REST-FILES-004",),
        reason="^files of the agent after the detachment: expected",
        make=lambda: answer(200, b"{}", on=Match("PATCH", "/folders/detach/")),
    ),
    CataloguedFault(
        name="files-stay-open",
        kills=("REST-FILES-005",),
        reason=r"^whether the file is open after close: expected \[False\], got \[True\]",
        make=lambda: answer(200, b"null", on=Match("PATCH", "/files/file-[^/]+/close$")),
    ),
    CataloguedFault(
        name="deletion-of-folder-forgotten",
        kills=("REST-FILES-014",),
        reason="^folders of the agent: expected",
        make=lambda: forget_first_deletion(on=Match("DELETE", "/v1/folders/source-[^/]+$")),
    ),
)

FAULTS: tuple[CataloguedFault, ...] = (*_OF_FILES, *_OF_UPLOADS, *_OF_AGENT_FILES)
