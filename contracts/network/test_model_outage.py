"""The model refuses connections: turns end with an error, and others do not notice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.conformance.checks import refused
from pytest_letta.streaming import payloads

from .load import away, unclear, under_load

if TYPE_CHECKING:
    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.stack.stack import Stack
    from pytest_letta.streaming import StreamOpener

    from .conftest import Patience


@contract(
    "NET-MODEL-001",
    needs=["streaming", "background", "llm", "kill"],
    because="a model that is restarted, or moved, refuses connections: whoever waits must hear of it",
)
def test_turns_end_with_an_error_when_the_model_refuses(
    make_letta_agent: AgentMaker,
    letta_stack: Stack,
    letta_stream: StreamOpener,
    first_success: Patience,
) -> None:
    """While the model refuses connections each turn ends with a clear error, and other agents are read.

    When it is back, turns of the same agents succeed.
    """
    reader, sender, streamer, background = (make_letta_agent() for _ in range(4))

    with (
        under_load(read=lambda _: reader.client.get(reader.path)) as load,
        away(letta_stack, "llm", "killed"),
        ThreadPoolExecutor(3) as pool,
    ):
        sent = pool.submit(sender.try_send, "Hello.")
        streamed = pool.submit(_stream_error, letta_stream, streamer, "Hello.", tokens=True)
        stored = pool.submit(_stream_error, letta_stream, background, "Hello.", tokens=True, background=True)

    answer = sent.result()
    must(refused(answer, 500, 502, 503, 504))
    must(unclear(answer))
    must(streamed.result())
    must(stored.result())
    must(load.problem("read"))
    for agent in (sender, background):
        first_success(lambda agent=agent: agent.try_send("Hello."), "after the model was back")  # type: ignore[misc]


def _stream_error(open_stream: StreamOpener, agent: Agent, text: str, **how: bool) -> str | None:
    """Stream a turn that must fail: say what came instead of one error that tells what happened."""
    with open_stream(agent, text, **how) as stream:
        if stream.response.is_error:
            stream.response.read()
            return unclear(stream.response)
        errors = payloads(stream.read_all(), "error_message")
    is_told = len(errors) == 1 and errors[0].get("message")
    return None if is_told else f"a stream {how} whose model fails ended with {len(errors)} errors: {errors}"
