"""The official client, letta-client: what it is for works with it, and what it raises says what was wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, could_not_run, must
from pytest_letta.conformance.checks import contains, echoed, equal

from .clients import for_clients

if TYPE_CHECKING:
    from pytest_letta import Deployment
    from pytest_letta.agent import Agent, AgentMaker
    from pytest_letta.handles import Handles
    from pytest_letta.ownership import Ledger
    from pytest_letta.sdk.client import Refusal, Sdk

_MOVED = (
    "routes and fields were renamed under the client: 'stream' became 'streaming' in letta-ai/letta commit 194c74322 "
    "and LettaClient was gone in acertainKnight/project-thoth commit be4565e"
)
_CHAT = "the first thing that anybody does with the client: docs.letta.com/quickstart"


@for_clients("REST-SDK-001", needs=["agents"], because=_MOVED)
def test_client_makes_finds_changes_and_deletes_an_agent(
    sdk: Sdk, letta_handles: Handles, letta_ledger: Ledger
) -> None:
    """The client makes an agent as it was asked to, reads and lists it, changes it, and no longer finds it after."""
    name = letta_ledger.name()
    sent = {"name": name, "description": "By the client.", "metadata": {"a": [1]}, "timezone": "Europe/Berlin"}
    blocks = [{"label": "human", "value": "Name: Zoë."}]

    made = sdk.call("agents.create", **sent, **letta_handles.fields(), tags=letta_ledger.tags, memory_blocks=blocks)
    kept = made["memory"]["blocks"] if made.get("memory") else made["blocks"]
    for each in kept:
        letta_ledger.enter(f"/v1/blocks/{each['id']}")
    letta_ledger.enter(f"/v1/agents/{made['id']}")

    must(echoed(sent, made, "the new agent"))
    must(equal(["Name: Zoë."], [each["value"] for each in kept], "blocks of the new agent"))
    must(echoed(sent, sdk.call("agents.retrieve", agent_id=made["id"]), "the agent when read"))
    listed = sdk.items("agents.list", name=name, limit=5, at_most=5)
    must(equal([made["id"]], [each["id"] for each in listed], "agents listed by the name"))
    changed = sdk.call("agents.update", agent_id=made["id"], description="Changed.")
    must(echoed({**sent, "description": "Changed."}, changed, "the changed agent"))
    sdk.call("agents.delete", agent_id=made["id"])
    _must_raise("NotFoundError", 404, sdk.refusal("agents.retrieve", agent_id=made["id"]), "the deleted agent")


@for_clients("REST-SDK-002", needs=["messages", "core_memory"], because=_CHAT)
def test_client_gets_the_answer_that_is_stored(sdk: Sdk, letta_agent: Agent) -> None:
    """A message that the client sends is answered with the text that is stored, a stop reason and the usage."""
    answer = sdk.call(
        "agents.messages.create", agent_id=letta_agent.id, messages=[{"role": "user", "content": "Hi."}]
    )

    must(equal(_stored(letta_agent), _text(answer["messages"]), "text of the answer, against what is stored"))
    must(equal("end_turn", (answer.get("stop_reason") or {}).get("stop_reason"), "stop reason"))
    must(equal(int, type((answer.get("usage") or {}).get("total_tokens")), "type of the total of tokens"))


#: The method that streams, and what it is told beside the message.
_STREAMS: dict[str, tuple[str, dict[str, bool]]] = {
    "steps": ("agents.messages.stream", {}),
    "tokens": ("agents.messages.stream", {"stream_tokens": True}),
    "create": ("agents.messages.create", {"streaming": True, "stream_tokens": True}),
}


@pytest.mark.parametrize("mode", _STREAMS)
@for_clients("REST-SDK-003", needs=["streaming", "core_memory"], because=_CHAT)
def test_client_streams_the_answer_that_is_stored(sdk: Sdk, letta_agent: Agent, mode: str) -> None:
    """What the client streams, by steps or tokens, is the text that is stored, then a stop reason and the usage."""
    method, how = _STREAMS[mode]
    said = [{"role": "user", "content": "Hi."}]

    events = sdk.items(method, agent_id=letta_agent.id, messages=said, at_most=1000, **how)

    must(equal(_stored(letta_agent), _text(events), "streamed text, against what is stored"))
    last = [event["message_type"] for event in events[-2:]]
    must(equal(["stop_reason", "usage_statistics"], last, "the last two events"))


@for_clients("REST-SDK-004", needs=["agents", "core_memory"], because=_MOVED)
def test_client_edits_core_memory(sdk: Sdk, make_letta_agent: AgentMaker) -> None:
    """A block that the client edits has the new value, for the client and for others, and its other blocks stay."""
    blocks = [{"label": label, "value": "Before.", "limit": 3000} for label in ("human", "persona")]
    agent = make_letta_agent(memory_blocks=blocks)

    edited = sdk.call("agents.blocks.update", block_label="human", agent_id=agent.id, value="After.")

    expected = {"label": "human", "value": "After.", "limit": 3000}
    must(echoed(expected, edited, "the edited block"))
    read = sdk.call("agents.blocks.retrieve", block_label="human", agent_id=agent.id)
    must(echoed(expected, read, "the block when read"))
    must(echoed(expected, agent.block("human"), "the block when others read it"))
    listed = sdk.items("agents.blocks.list", agent_id=agent.id, at_most=10)
    values = {each["label"]: each["value"] for each in listed}
    must(equal({"human": "After.", "persona": "Before."}, values, "blocks listed after the edit"))


@for_clients("REST-SDK-005", needs=["archival", "archival_search"], because=_MOVED)
def test_client_keeps_and_finds_passages(sdk: Sdk, make_letta_agent: AgentMaker) -> None:
    """Passages that the client inserts are listed, the one that was meant is found, and a deleted one is gone."""
    agent = make_letta_agent()
    texts = ["The sailor keeps a parrot.", "Concrete sets in four weeks."]
    ids = [sdk.call("agents.passages.create", agent_id=agent.id, text=text, tags=["t"])[0]["id"] for text in texts]

    listed = sdk.call("agents.passages.list", agent_id=agent.id)
    must(equal(dict(zip(ids, texts, strict=True)), {each["id"]: each["text"] for each in listed}, "listed passages"))
    found = sdk.call("agents.passages.search", agent_id=agent.id, query="the sailor's parrot", top_k=2)
    must(equal(texts[0], found["results"][0]["content"], "nearest passage") or equal(2, found["count"], "count"))
    sdk.call("agents.passages.delete", memory_id=ids[0], agent_id=agent.id)
    left = sdk.call("agents.passages.list", agent_id=agent.id)
    must(equal([ids[1]], [each["id"] for each in left], "passages after the deletion"))


#: What is asked for, what is raised and which status it tells, what the text names.
_ERRORS: dict[str, tuple[str, dict[str, Any], str, int, str]] = {
    "unknown-agent": ("agents.retrieve", {"agent_id": "agent-{unknown}"}, "NotFoundError", 404, "{unknown}"),
    "unknown-block": ("blocks.retrieve", {"block_id": "block-{unknown}"}, "NotFoundError", 404, "{unknown}"),
    "unknown-tool": ("tools.retrieve", {"tool_id": "tool-{unknown}"}, "NotFoundError", 404, "{unknown}"),
    "malformed-id": ("agents.retrieve", {"agent_id": "no-id"}, "UnprocessableEntityError", 422, "no-id"),
    "wrong-type": ("agents.create", {"name": 5}, "UnprocessableEntityError", 422, "name"),
    "unknown-model": ("agents.create", {"model": "no-such-provider/x"}, "NotFoundError", 404, "no-such-provider/x"),
    "no-model": ("agents.create", {}, "BadRequestError", 400, "model"),
}


@pytest.mark.parametrize("case", _ERRORS)
@for_clients(
    "REST-SDK-006",
    needs=["agents", "tools"],
    because="callers make a new agent on NotFoundError, and wait and try again on what looks like an outage",
)
def test_client_raises_what_fits(sdk: Sdk, unknown: str, letta_ledger: Ledger, case: str) -> None:
    """What is refused is raised as the class of its status, with a text that names what was wrong."""
    method, args, kind, code, named = _ERRORS[case]
    args = {key: value.format(unknown=unknown) if isinstance(value, str) else value for key, value in args.items()}
    if method == "agents.create":
        args = {"name": letta_ledger.name(), "tags": letta_ledger.tags, **args}

    _must_raise(kind, code, sdk.refusal(method, **args), f"{method} with {case}", named.format(unknown=unknown))


@for_clients("REST-SDK-007", needs=["password"], because="a wrong password must not look like an outage")
def test_client_raises_authentication_error(sdk: Sdk) -> None:
    """A client with a wrong password raises AuthenticationError."""
    _must_raise("AuthenticationError", 401, sdk.refusal_of_password(), "a list of agents with a wrong password")


@pytest.mark.parametrize("sdk", ["own", "newest", "installed"], indirect=True)
@contract(
    "REST-SDK-008", level="should", because="a method that the server has no route for is found when it is called"
)
def test_server_has_what_the_client_calls(sdk: Sdk, letta_deployment: Deployment) -> None:
    """Every operation that the client can call is one that the server documents."""
    spec = letta_deployment.spec
    if spec is None:
        could_not_run("the server gives no /openapi.json to compare with")
    lacking = sorted(
        f"{operation.replace('/x', '/{id}')} ({method})"
        for operation, method in sdk.surface().items()
        if spec.operation_for(*operation.split(" ", 1)) is None
    )

    told = f"letta-client {sdk.version} calls {len(lacking)} operations that this server does not have"
    must(f"{told}: {'; '.join(lacking)}" if lacking else None)


def _stored(agent: Agent) -> str:
    return _text([one for one in agent.messages() if one["message_type"] == "assistant_message"][-1:])


def _text(messages: list[dict[str, Any]]) -> str:
    parts = [one.get("content") for one in messages if one["message_type"] == "assistant_message"]
    return "".join(part if isinstance(part, str) else "".join(p["text"] for p in part or ()) for part in parts)


def _must_raise(kind: str, code: int, raised: Refusal | None, what: str, named: str = "") -> None:
    if raised is None:
        must(f"{what}: the client raised nothing (expected {kind})")
        return
    must(equal((kind, code), (raised.kinds[0], raised.status), f"{what}, {raised}"))
    must(contains(raised.text.lower(), named.lower(), f"text of {kind}"))
