"""Resume: what was kept of a background stream is there for all who ask, as often as they ask, after restarts too."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pytest_letta import contract, must
from pytest_letta.conformance.checks import equal, same_sequence, status
from pytest_letta.llm import say
from pytest_letta.streaming import lasting, run_id_of, text_of

from .events import data_of

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl
    from pytest_letta.sse import Event
    from pytest_letta.stack.stack import Stack
    from pytest_letta.streaming import StreamOpener

_NEEDS = ["streaming", "background", "resume", "llm"]
_TOKENS = [f"word{number} " for number in range(4)]
#: Letta reads 100 events at a time from where it keeps them.
_MANY = [f"word{number} " for number in range(300)]


def _finished(agent: Agent, llm: ModelControl, opener: StreamOpener, tokens: list[str]) -> list[Event]:
    script = llm.script(say("".join(tokens), tokens=tokens))
    with opener(agent, script.prompt(), tokens=True, background=True) as stream:
        must(status(stream.response))
        events = lasting(stream.read_all())
    must(equal("".join(tokens), text_of(events), "text of the whole stream"))
    return events


def _rest(opener: StreamOpener, run_id: str, cut: int) -> list[str]:
    with opener.resume(run_id, cut, deadline_s=30) as stream:
        must(status(stream.response))
        return data_of(stream.read_all())


@contract("SSE-RESUME-007", needs=_NEEDS, because="a phone loses its network more than once in an answer")
def test_every_resume_can_be_repeated(
    letta_agent: Agent, letta_llm: ModelControl, letta_stream: StreamOpener
) -> None:
    """A resume after each event k of a finished run gives the events after k, and a second one gives them again."""
    events = _finished(letta_agent, letta_llm, letta_stream, _TOKENS)

    for cut in range(len(events)):
        for time in ("first", "second"):
            rest = _rest(letta_stream, run_id_of(events), cut)
            must(same_sequence(data_of(events[cut:]), rest, f"{time} resume after event {cut} of {len(events)}"))


@contract("SSE-RESUME-008", needs=_NEEDS, because="the same answer is open on a phone and on a desk")
def test_readers_at_once_see_the_same(
    letta_agent: Agent, letta_llm: ModelControl, letta_stream: StreamOpener
) -> None:
    """Two readers that resume a run while the model speaks get each the whole stream, as its first reader does."""
    tokens = _TOKENS * 2
    script = letta_llm.script(say("".join(tokens), tokens=tokens, pace_s=0.1))
    with ThreadPoolExecutor(2) as pool:
        with letta_stream(letta_agent, script.prompt(), tokens=True, background=True) as stream:
            must(status(stream.response))
            run_id = run_id_of(stream.read(2))
            readers = [pool.submit(_rest, letta_stream, run_id, 0) for _ in range(2)]
            whole = data_of(stream.read_all())
        found = [reader.result() for reader in readers]

    for number, seen in enumerate(found, 1):
        must(same_sequence(whole, seen, f"stream of reader {number} of 2"))


@contract(
    "SSE-RESUME-009", needs=[*_NEEDS, "restart"], because="who reads on after an update of the server reads on there"
)
def test_resume_after_a_restart_gives_the_rest(
    letta_agent: Agent, letta_llm: ModelControl, letta_stack: Stack, letta_stream: StreamOpener
) -> None:
    """After a restart a resume after each event k of a finished run gives exactly the events after k."""
    events = _finished(letta_agent, letta_llm, letta_stream, _TOKENS)

    letta_stack.restart("letta")

    for cut in range(len(events)):
        rest = _rest(letta_stream, run_id_of(events), cut)
        must(same_sequence(data_of(events[cut:]), rest, f"resume after event {cut} after the restart"))


@contract("SSE-RESUME-010", needs=_NEEDS, because="long answers are the ones in which a connection breaks")
def test_resume_of_a_long_stream_has_no_gap(
    letta_agent: Agent, letta_llm: ModelControl, letta_stream: StreamOpener
) -> None:
    """A resume of a run of 300 tokens gives exactly the rest, after an early event and after a late one."""
    events = _finished(letta_agent, letta_llm, letta_stream, _MANY)

    for cut in (1, 100, 201, len(events) - 1):
        rest = _rest(letta_stream, run_id_of(events), cut)
        must(same_sequence(data_of(events[cut:]), rest, f"resume after event {cut} of {len(events)}"))
