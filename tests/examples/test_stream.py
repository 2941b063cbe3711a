"""Read a turn event by event."""

from pytest_letta.llm import say
from pytest_letta.streaming import payloads, text_of


def test_tokens_arrive(letta_agent, letta_llm, letta_stream):
    script = letta_llm.script(say("One two three."))

    with letta_stream(letta_agent, script.prompt(), tokens=True) as stream:
        events = stream.read_all()

    assert text_of(events) == "One two three."
    assert payloads(events, "stop_reason")[0]["stop_reason"] == "end_turn"
    assert events[-1].is_done
