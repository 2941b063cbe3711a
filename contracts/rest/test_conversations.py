"""Conversations beside their messages: previewed, forked, recompiled, compacted, cancelled and followed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, must
from pytest_letta.conformance.checks import contains, equal, refused, same_sequence, status
from pytest_letta.llm import say

from ..memory.turns import wait_until_asked

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent
    from pytest_letta.llm import ModelControl, Reply

    from .asking import Ask

_NEEDS = ["conversations", "messages"]
#: Enough for a summary to be shorter than what it stands for.
_TURNS = 6


def _user(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], "streaming": False}


@pytest.fixture
def conversation(ask: Ask, letta_agent: Agent) -> str:
    """The path of a conversation of the agent, which is deleted with it."""
    answer = ask("POST", "/v1/conversations/", {}, agent_id=letta_agent.id)
    must(status(answer, 200, 201))
    return f"/v1/conversations/{answer.json()['id']}"


def _said(ask: Ask, conversation: str, text: str) -> None:
    must(status(ask("POST", f"{conversation}/messages", _user(text))))


def _history(ask: Ask, conversation: str) -> list[str]:
    answer = ask("GET", f"{conversation}/messages", order="asc", limit=100)
    must(status(answer))
    return [str(one["id"]) for one in answer.json()]


@contract(
    "REST-CONVERSATION-001", needs=_NEEDS, because="a preview shows what the model would be asked, and asks nothing"
)
def test_preview_shows_the_request_and_sends_nothing(ask: Ask, conversation: str) -> None:
    """A preview of a message has its text and what was said before in the conversation, and leaves no message."""
    _said(ask, conversation, "Said before.")
    before = _history(ask, conversation)

    answer = ask("POST", f"{conversation}/messages/preview-raw-payload", _user("Only looked at."))

    must(status(answer))
    for text in ("Only looked at.", "Said before."):
        must(contains(str(answer.json()), text, "the preview"))
    must(equal(before, _history(ask, conversation), "messages after the preview"))


@contract(
    "REST-CONVERSATION-002",
    needs=[*_NEEDS, "llm"],
    because="whoever tries another way from here must find what was said, and leave the first way as it is",
)
def test_fork_begins_with_what_was_said(ask: Ask, conversation: str, letta_llm: ModelControl) -> None:
    """A fork has the history of its conversation, the model is shown it, and what is said there stays there."""
    _said(ask, conversation, "Said before.")
    before = _history(ask, conversation)

    answer = ask("POST", f"{conversation}/fork")

    must(status(answer, 200, 201))
    fork = f"/v1/conversations/{answer.json()['id']}"
    must(same_sequence(before[1:], _history(ask, fork)[1:], "messages of the fork, the system message aside"))
    script = letta_llm.script(say("Noted."))
    _said(ask, fork, script.prompt("Said in the fork."))
    must(contains(str(letta_llm.requests(script)[-1]), "Said before.", "what the model was asked in the fork"))
    must(equal(before, _history(ask, conversation), "messages of the first conversation"))


@contract(
    "REST-CONVERSATION-003", needs=[*_NEEDS, "core_memory"], because="an edit of memory must reach who is talked to"
)
def test_recompiled_prompt_holds_the_memory_of_now(ask: Ask, letta_agent: Agent, conversation: str) -> None:
    """Recompiling the prompt of a conversation gives the text with the block as it is now."""
    _said(ask, conversation, "Hello.")
    must(status(ask("PATCH", f"{letta_agent.path}/core-memory/blocks/human", {"value": "Zo\u00eb has otters."})))

    answer = ask("POST", f"{conversation}/recompile")

    must(status(answer) or contains(answer.json(), "Zo\u00eb has otters.", "the prompt"))


@contract(
    "REST-CONVERSATION-004", needs=[*_NEEDS, "llm"], because="a long talk fits into no model unless it is compacted"
)
def test_compaction_shortens_what_the_model_is_shown(ask: Ask, conversation: str, letta_llm: ModelControl) -> None:
    """A compaction tells how many messages are left, which is less, the next turn shows no more, and none is lost."""
    for number in range(_TURNS):
        _said(ask, conversation, f"Number {number}.")
    before = _history(ask, conversation)

    answer = ask("POST", f"{conversation}/compact")

    must(_problem_of_compaction(answer.json()) if answer.is_success else status(answer))
    script = letta_llm.script(say("Noted."))
    _said(ask, conversation, script.prompt("And now?"))
    shown = letta_llm.requests(script)[-1].body["messages"]
    must(equal(answer.json()["num_messages_after"] + 1, len(shown), "messages that the model was shown afterwards"))
    kept = _history(ask, conversation)
    must(equal([], [id for id in before if id not in kept], "messages that the history lost"))


@contract(
    "REST-CONVERSATION-005",
    needs=[*_NEEDS, "llm"],
    because="an agent whose history is too long cannot answer any more",
)
def test_summary_shortens_what_an_agent_is_shown(ask: Ask, letta_agent: Agent) -> None:
    """Summarizing the history of an agent tells how many messages are left in its context, and so many are."""
    for number in range(_TURNS):
        letta_agent.send(f"Number {number}.")

    answer = ask("POST", f"{letta_agent.path}/summarize", {})

    must(_problem_of_compaction(answer.json()) if answer.is_success else status(answer))
    state = ask("GET", letta_agent.path).json()
    must(equal(answer.json()["num_messages_after"], len(state["message_ids"]), "messages in the agent's context"))


def _problem_of_compaction(told: dict[str, Any]) -> str | None:
    before, after = told["num_messages_before"], told["num_messages_after"]
    if not told["summary"]:
        return "the compaction has no summary"
    return None if after < before else f"the compaction left {after} of {before} messages"


@contract(
    "REST-CONVERSATION-006",
    needs=[*_NEEDS, "llm", "background"],
    because="who asked the wrong thing must be able to stop it",
)
def test_turn_of_a_conversation_is_cancelled(ask: Ask, conversation: str, letta_llm: ModelControl) -> None:
    """Cancelling a conversation ends its turn under way as cancelled, and the next turn is done."""
    with _under_way(
        ask, conversation, letta_llm, say("Too late, too late, too late.", pace_s=1.0, hold_s=1.0)
    ) as turn:
        cancelled = ask("POST", f"{conversation}/cancel")

        must(status(cancelled))
        streamed = turn.result().text
    must(contains(streamed, '"cancelled"', "the stream of the turn"))
    _said(ask, conversation, "Hello.")


@contract("REST-CONVERSATION-007", needs=_NEEDS, because="a button that stops nothing must say so")
def test_nothing_to_cancel_is_told(ask: Ask, conversation: str) -> None:
    """Cancelling a conversation that is quiet is refused with 409 that names it."""
    must(refused(ask("POST", f"{conversation}/cancel"), 409, naming=conversation.rpartition("/")[2]))


@contract(
    "REST-CONVERSATION-008",
    needs=[*_NEEDS, "llm", "background", "resume"],
    because="a page that is loaded anew follows the answer that is being given",
)
def test_turn_under_way_is_followed(ask: Ask, conversation: str, letta_llm: ModelControl) -> None:
    """The stream of a conversation gives the turn under way, to the same end as the stream that began it."""
    with _under_way(ask, conversation, letta_llm, say("One two three four.", pace_s=0.3, hold_s=1.5)) as turn:
        followed = ask("POST", f"{conversation}/stream", {"starting_after": 0})

        must(status(followed))
        first = turn.result()
    must(equal(_data(first.text), _data(followed.text), "what the second stream gave"))


@contextmanager
def _under_way(ask: Ask, conversation: str, llm: ModelControl, reply: Reply) -> Iterator[Future[httpx.Response]]:
    """Begin a background turn and come in once its model was asked; its stream is what the future gives."""
    script = llm.script(reply)
    body = {**_user(script.prompt()), "streaming": True, "stream_tokens": True, "background": True}
    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(ask, "POST", f"{conversation}/messages", body)
        wait_until_asked(llm, script, turn, 1)
        yield turn


def _data(stream: str) -> list[str]:
    return [line for line in stream.splitlines() if line.startswith("data:") and '"ping"' not in line]
