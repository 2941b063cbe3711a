"""Uploads: slow, chunked and compressed bodies pass the proxy, and broken ones harm nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, status
from pytest_letta.conformance.differential import Question

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent

    from .conftest import Differing

_JSON = {"Content-Type": "application/json"}
_BODY = json.dumps({"description": "sent in pieces", "metadata": {"text": "0123456789abcdef" * 4}}).encode()
_PIECES = tuple(_BODY[start : start + 40] for start in range(0, len(_BODY), 40))
#: Three times as slow: what is impatient with it is not with the other ones.
_SLOW = tuple(piece for whole in _PIECES for piece in (b"", b"", whole))
_LARGE = json.dumps({"metadata": {"text": "0123456789abcdef" * 20_000}}).encode()
_LENGTH = {"Content-Length": str(len(_BODY))}
_PAUSE_S = 0.03
_HALF_SENT = 8
_UNKNOWN = "/v1/agents/agent-00000000-0000-4000-8000-000000000000"
_MIB = 1024 * 1024


@contract("NET-UPLOAD-001", needs=["agents", "proxy"], because="SDKs stream bodies of files, and phones send slowly")
@pytest.mark.parametrize(
    ("headers", "content"),
    [
        pytest.param({}, _PIECES, id="chunked"),
        pytest.param(_LENGTH, _SLOW, id="slow"),
        pytest.param({}, (b"",), id="empty-chunked"),
        pytest.param({}, (_LARGE,), id="large-chunked"),
        pytest.param({}, _LARGE, id="large"),
        pytest.param({"Expect": "100-continue"}, _BODY, id="expect"),
        pytest.param({"Content-Encoding": "gzip"}, _BODY, id="not-gzip"),
        pytest.param({"Connection": "close"}, _BODY, id="last-of-its-connection"),
    ],
)
def test_uploads_are_answered_alike_through_the_proxy(
    headers: dict[str, str], content: bytes | tuple[bytes, ...], letta_agent: Agent, differing: Differing
) -> None:
    """A body that comes in pieces, slowly, after 100-continue or without its length is taken as it is directly."""
    must(differing(Question(letta_agent.path, "PATCH", {**_JSON, **headers}, content, _PAUSE_S)))


class _BrokenOff(Exception):
    """Ends an upload in its middle."""


def _broken_uploads(client: httpx.Client, path: str, number: int) -> httpx.Response:
    """Ask for health while `number` uploads are half sent, break them all off, and return the answer."""
    answers: list[httpx.Response] = []

    def half() -> Iterator[bytes]:
        yield b'{"description": "half se'
        # httpx sends piece by piece, so whatever happens here happens in the middle of the upload.
        answers.append(_broken_uploads(client, path, number - 1) if number > 1 else client.get("/v1/health/"))
        raise _BrokenOff

    with suppress(_BrokenOff):
        client.patch(path, content=half(), headers={**_JSON, "Content-Length": "10000"})
    return answers[0]


def _broken_problem(client: httpx.Client, agent: Agent) -> str | None:
    during = _broken_uploads(client, agent.path, _HALF_SENT)
    after = client.get(agent.path)
    return (
        _waiting(status(during), f"while {_HALF_SENT} uploads were half sent")
        or _waiting(status(after), f"after {_HALF_SENT} uploads were broken off")
        or equal(agent.state.get("description"), after.json().get("description"), "description after a broken upload")
    )


def _waiting(problem: str | None, when: str) -> str | None:
    hint = "nginx: worker_connections 1024, limit_conn off, proxy_request_buffering on"
    return f"{when}, {problem} ({hint})" if problem else None


@contract("NET-UPLOAD-002", needs=["agents"], because="clients lose their network in the middle of a request")
def test_broken_uploads_harm_nobody(letta_agent: Agent, letta_client: httpx.Client) -> None:
    """Uploads that are broken off in their middle change nothing, and others are answered meanwhile and after."""
    must(_broken_problem(letta_client, letta_agent))


@contract(
    "NET-UPLOAD-003", needs=["agents", "proxy"], because="a proxy may hold a connection to Letta for each upload"
)
def test_broken_uploads_through_the_proxy_harm_nobody(letta_agent: Agent, letta_proxy_client: httpx.Client) -> None:
    """The same uploads through the proxy change nothing, and others are answered meanwhile and after."""
    must(_broken_problem(letta_proxy_client, letta_agent))


@contract(
    "NET-UPLOAD-004",
    level="should",
    needs=["agents", "proxy"],
    because="documents and images travel as base64 in one body, and nginx takes 1 MB unless it is told otherwise",
)
@pytest.mark.parametrize("size", [pytest.param(mib * _MIB, id=f"{mib}-mib") for mib in (2, 8, 20)])
def test_large_bodies_reach_the_server(size: int, differing: Differing) -> None:
    """A body of up to 20 MiB is refused or taken by the server, as directly, and not by the proxy."""
    # An agent that does not exist: the server reads the whole body, and keeps nothing of it.
    body = b'{"description": "' + b"x" * size + b'"}'

    must(differing(Question(_UNKNOWN, "PATCH", _JSON, body)))
