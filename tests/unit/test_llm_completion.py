"""The model answers chat completions over HTTP as OpenAI does, whole and streamed."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from pytest_letta.llm import ModelControl, call_tool, say, serve
from pytest_letta.llm.reply import Reply
from pytest_letta.llm.server import ModelServer

TOOLS = [{"type": "function", "function": {"name": "lookup", "parameters": {"type": "object"}}}]


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with serve() as server:
        yield server


@pytest.fixture
def client(server: ModelServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.base_url, trust_env=False, timeout=30) as client:
        yield client


def ask(server: ModelServer, *replies: Reply, **fields: Any) -> dict[str, Any]:
    prompt = ModelControl(server.url).script(*replies).prompt("Three words here")
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": prompt}], **fields}


def stream(client: httpx.Client, body: dict[str, Any]) -> list[dict[str, Any]]:
    response = client.post("/chat/completions", json={**body, "stream": True})
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    *events, end = response.text.split("\n\n")
    assert (events[-1], end) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events[:-1]]


def deltas(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [choice["delta"] for chunk in chunks for choice in chunk["choices"]]


def test_models_are_listed(client: httpx.Client) -> None:
    models = client.get("/models").json()

    assert [model["id"] for model in models["data"]] == ["gpt-4o-mini", "gpt-4o", "text-embedding-3-small"]


def test_health_is_ok(server: ModelServer) -> None:
    assert httpx.get(f"{server.url}/health", trust_env=False).json() == {"status": "ok"}


def test_whole_answer_is_a_completion(server: ModelServer, client: httpx.Client) -> None:
    answer = client.post("/chat/completions", json=ask(server, say("Hello there."))).json()

    assert answer["object"] == "chat.completion"
    assert answer["model"] == "gpt-4o-mini"
    assert answer["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello there.", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    assert answer["usage"]["completion_tokens"] == 2
    assert answer["usage"]["prompt_tokens"] == 4
    assert answer["usage"]["total_tokens"] == 6


def test_streamed_answer_comes_in_the_scripted_tokens(server: ModelServer, client: httpx.Client) -> None:
    tokens = ["Hel", "lo", "", " there\n\n", "grün \U0001f600"]
    chunks = stream(client, ask(server, say("".join(tokens), tokens=tokens)))

    assert deltas(chunks) == [
        {"role": "assistant", "content": ""},
        *({"content": token} for token in tokens),
        {},
    ]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * 6 + ["stop"]
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert not any("usage" in chunk for chunk in chunks)


def test_usage_chunk_comes_last_when_it_is_asked_for(server: ModelServer, client: httpx.Client) -> None:
    body = ask(server, say("Hello there."), stream_options={"include_usage": True})
    *chunks, last = stream(client, body)

    assert last["choices"] == []
    assert last["usage"] == client.post("/chat/completions", json=body).json()["usage"]
    assert all(chunk["usage"] is None for chunk in chunks)


def test_tool_call_is_answered_whole(server: ModelServer, client: httpx.Client) -> None:
    body = ask(server, call_tool("lookup", {"word": "tea"}), tools=TOOLS)
    choice = client.post("/chat/completions", json=body).json()["choices"][0]
    call = choice["message"]["tool_calls"][0]

    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert call["function"] == {"name": "lookup", "arguments": '{"word": "tea"}'}
    assert call["type"] == "function"
    assert call["id"].startswith("call_")


def test_streamed_tool_call_has_its_name_first_and_arguments_in_pieces(
    server: ModelServer, client: httpx.Client
) -> None:
    body = ask(server, call_tool("lookup", {"word": "tea"}, text="One moment."), tools=TOOLS)
    chunks = stream(client, body)
    calls = [delta["tool_calls"][0] for delta in deltas(chunks) if "tool_calls" in delta]
    whole = client.post("/chat/completions", json=body).json()["choices"][0]["message"]

    assert "".join(delta.get("content", "") for delta in deltas(chunks)) == "One moment."
    assert calls[0]["function"] == {"name": "lookup", "arguments": ""}
    assert [call["function"]["arguments"] for call in calls[1:]] == ['{"word":', ' "tea"}']
    assert all("id" not in call for call in calls[1:])
    assert calls[0]["id"] == whole["tool_calls"][0]["id"]
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_same_request_gets_the_same_bytes(server: ModelServer, client: httpx.Client) -> None:
    body = ask(server, call_tool("lookup", {"word": "tea"}), stream=True)

    first, second = (client.post("/chat/completions", json=body).content for _ in range(2))

    assert first == second


def test_steps_of_a_turn_follow_the_script(server: ModelServer, client: httpx.Client) -> None:
    body = ask(server, call_tool("lookup", {}), say("Found it."))
    first = client.post("/chat/completions", json=body).json()["choices"][0]["message"]
    result = {"role": "tool", "tool_call_id": first["tool_calls"][0]["id"], "content": "42"}
    body["messages"] += [first, result]

    assert client.post("/chat/completions", json=body).json()["choices"][0]["message"]["content"] == "Found it."


def test_every_token_is_a_chunk_of_its_own(server: ModelServer, client: httpx.Client) -> None:
    body = ask(server, say("x " * 10_000), stream=True)
    with client.stream("POST", "/chat/completions", json=body) as response:
        events = sum(line.startswith("data: ") for line in response.iter_lines())

    # The role, 10,000 words and the blank at the end, the finish, [DONE].
    assert events == 10_004


def test_token_of_a_mebibyte_arrives_whole(server: ModelServer, client: httpx.Client) -> None:
    chunks = stream(client, ask(server, say("ü" * 2**20)))

    assert deltas(chunks)[1] == {"content": "ü" * 2**20}


def test_paced_tokens_arrive_one_by_one(server: ModelServer, client: httpx.Client) -> None:
    body = ask(server, say("a b c", pace_s=0.05, hold_s=0.05), stream=True)
    with client.stream("POST", "/chat/completions", json=body) as response:
        pieces = list(response.iter_raw())

    # Buffered, they would be one piece.
    assert [piece.count(b'"content": "') for piece in pieces[:4]] == [1, 1, 1, 1]


def test_pipelined_request_waits_for_the_paced_answer_before_it(server: ModelServer) -> None:
    data = json.dumps(ask(server, say("First.", hold_s=0.1))).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(data)
    second = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with socket.create_connection(server.server_address[:2], timeout=30) as connection:
        connection.sendall(head + data)
        connection.sendall(second)
        answers = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert answers.index(b"First.") < answers.index(b'{"status": "ok"}')


def test_http_1_0_client_gets_a_stream_without_chunks(server: ModelServer) -> None:
    data = json.dumps(ask(server, say("Hello there."), stream=True)).encode()
    head = b"POST /v1/chat/completions HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(data)
    with socket.create_connection(server.server_address[:2], timeout=30) as connection:
        connection.sendall(head + data)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    headers, _, body = answer.partition(b"\r\n\r\n")

    assert b"transfer-encoding" not in headers.lower()
    assert body.startswith(b"data: {")
    assert body.endswith(b"data: [DONE]\n\n")
