"""Jobs and batches: work that the server does on its own, looked up by its id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, no_repeats, refused, status

if TYPE_CHECKING:
    from .asking import Ask

_JOBS = "/v1/jobs/"
_BATCHES = "/v1/messages/batches"


@contract("REST-JOBS-001", because="what runs in the background and is in no list can be neither seen nor stopped")
def test_jobs_are_listed(ask: Ask) -> None:
    """The list of jobs, all or the active ones, has each once, no more than asked for, and as it is when read."""
    for query in ({}, {"active": True}):
        answer = ask("GET", _JOBS, limit=3, **query)
        must(status(answer))
        ids = [one["id"] for one in answer.json()]
        must(no_repeats(ids, "list of jobs") or contains(range(4), len(ids), "number of jobs on a page of 3"))
        for id in ids:
            read = ask("GET", f"{_JOBS}{id}")
            must(status(read) or equal(id, read.json().get("id"), "id of the job when read"))


@pytest.mark.parametrize(
    ("method", "below"), [("GET", ""), ("PATCH", "/cancel"), ("DELETE", "")], ids=["read", "cancel", "delete"]
)
@contract("REST-JOBS-002", because="who stops a job that does not exist must learn that it goes on")
def test_unknown_job_is_refused(ask: Ask, unknown: str, method: str, below: str) -> None:
    """Reading, cancelling or deleting a job that does not exist is refused with 404 and a text about the job."""
    # Up to 0.15 it only said "Job not found".
    must(refused(ask(method, f"{_JOBS}job-{unknown}{below}"), 404, naming="job"))


@contract("REST-BATCHES-001", because="a batch that was sent and is in no list is paid for and lost")
def test_batches_are_listed_and_an_empty_one_is_refused(ask: Ask) -> None:
    """The batches are a list, and a batch of no requests is refused with 4xx that says so."""
    listed = ask("GET", _BATCHES, limit=3)
    must(status(listed))
    must(no_repeats([one["id"] for one in listed.json()], "list of batches"))

    must(refused(ask("POST", _BATCHES, {"requests": []}), 400, 422, naming="empty"))


@pytest.mark.parametrize(
    ("method", "below"), [("GET", ""), ("GET", "/messages"), ("PATCH", "/cancel")], ids=["read", "messages", "cancel"]
)
@contract("REST-BATCHES-002", because="who cancels a batch that does not exist must learn that it goes on")
def test_unknown_batch_is_refused(ask: Ask, unknown: str, method: str, below: str) -> None:
    """Whatever is asked of a batch that does not exist is refused with 404 that says so."""
    must(refused(ask(method, f"{_BATCHES}/job-{unknown}{below}"), 404, naming="not found"))
