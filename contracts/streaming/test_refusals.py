"""Refusals: what cannot be streamed is refused at once, with its status, and does not become a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import refused, status
from pytest_letta.errors import StreamError
from pytest_letta.streaming import run_id_of, wait_for_run

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.streaming import StreamOpener

_UNKNOWN = "00000000-0000-4000-8000-000000000000"
_HELLO = {"role": "user", "content": "Hello."}
#: A replay of a finished run takes milliseconds; who still waits after this would wait for ever.
_HANG_S = 3.0


@pytest.mark.parametrize(
    ("body", "naming"),
    [
        pytest.param({}, "messages", id="no-message"),
        pytest.param({"messages": []}, "empty", id="empty-list"),
        pytest.param({"messages": [{**_HELLO, "role": "nobody"}]}, "role", id="unknown-role"),
        pytest.param({"messages": [{"role": "user"}]}, "content", id="no-content"),
    ],
)
@contract(
    "SSE-REFUSE-001",
    needs=["streaming"],
    because="a client that got 200 shows an empty answer where it should show its own mistake",
)
def test_malformed_turn_is_no_stream(
    letta_agent: Agent, client: httpx.Client, body: dict[str, Any], naming: str
) -> None:
    """A turn that is malformed is refused with 422 as JSON that names what is wrong; no stream begins."""
    answer = client.post(f"{letta_agent.path}/messages/stream", json=body)

    # 400 up to 0.11 for the empty list; all else was 422 from the start.
    must(refused(answer, *((400, 422) if naming == "empty" else (422,)), naming=naming))


@contract(
    "SSE-REFUSE-002", needs=["streaming"], because="an agent that is gone must not answer, not even with silence"
)
def test_unknown_agent_is_no_stream(client: httpx.Client) -> None:
    """A turn of an agent that does not exist is refused with 404 as JSON that names it; no stream begins."""
    answer = client.post(f"/v1/agents/agent-{_UNKNOWN}/messages/stream", json={"messages": [_HELLO]})

    must(refused(answer, 404, naming=_UNKNOWN))


@pytest.mark.parametrize(
    ("run_id", "statuses"),
    [
        pytest.param(f"run-{_UNKNOWN}", (404,), id="unknown"),
        # Ids of runs are refused with 400, those of all else with 422: either tells the client that it erred.
        pytest.param("no-such-run", (400, 422), id="malformed"),
    ],
)
@contract("SSE-RESUME-004", needs=["resume"], because="a resume of a run that is gone must not wait for it")
def test_resume_of_no_run_is_refused(client: httpx.Client, run_id: str, statuses: tuple[int, ...]) -> None:
    """A resume of a run that does not exist is refused as JSON that names it."""
    answer = client.post(f"/v1/runs/{run_id}/stream", json={"starting_after": 0})

    must(refused(answer, *statuses, naming=run_id))


@contract(
    "SSE-RESUME-005", needs=["streaming", "resume"], because="nothing was kept of it; an empty stream would lie"
)
def test_resume_of_a_foreground_run_is_refused(letta_agent: Agent, letta_stream: StreamOpener) -> None:
    """A resume of a run that was not in the background is refused with 400 as JSON that says so."""
    with letta_stream(letta_agent, "Hello.", tokens=True) as stream:
        run_id = run_id_of(stream.read_all())

    must(
        refused(
            letta_agent.client.post(f"/v1/runs/{run_id}/stream", json={"starting_after": 0}), 400, naming="background"
        )
    )


@contract(
    "SSE-RESUME-006", needs=["async", "resume", "runs"], because="an asynchronous run is one in the background, too"
)
def test_resume_of_an_asynchronous_run_ends(letta_agent: Agent, letta_stream: StreamOpener) -> None:
    """A resume of an asynchronous run that has ended gives an end, or is refused; it does not wait for ever."""
    begun = letta_agent.client.post(f"{letta_agent.path}/messages/async", json={"messages": [_HELLO]})
    must(status(begun))
    wait_for_run(letta_agent.client, begun.json()["id"])

    try:
        with letta_stream.resume(begun.json()["id"], 0, deadline_s=_HANG_S) as stream:
            must(status(stream.response, 200, 400, 404, 409, 410))
            stream.read_all()
    except (StreamError, httpx.TimeoutException) as error:
        must(f"the resume of an asynchronous run that has ended does not end: {error}")
