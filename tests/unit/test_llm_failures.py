"""The model fails on command, in each way that a real one has."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from pytest_letta.llm import ModelControl, cut, fail, malformed, say, serve, silent
from pytest_letta.llm.reply import Reply
from pytest_letta.llm.server import ModelServer


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serve() as server:
        yield server


@pytest.fixture
def client(server: ModelServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.base_url, trust_env=False, timeout=30) as client:
        yield client


def ask(server: ModelServer, reply: Reply, *, stream: bool) -> dict[str, Any]:
    prompt = ModelControl(server.url).script(reply).prompt()
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": prompt}], "stream": stream}


def read_until_broken(client: httpx.Client, body: dict[str, Any]) -> bytes:
    """Return what arrived before the connection broke; fail where it did not break."""
    received: list[bytes] = []
    with client.stream("POST", "/chat/completions", json=body) as response:
        assert response.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
            received.extend(response.iter_raw())
    return b"".join(received)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, "invalid_request_error", None),
        (401, "authentication_error", "invalid_api_key"),
        (403, "permission_error", None),
        (404, "invalid_request_error", None),
        (429, "rate_limit_error", "rate_limit_exceeded"),
        (500, "server_error", None),
        (503, "server_error", None),
    ],
)
def test_failure_has_its_status_and_the_shape_of_openai(
    server: ModelServer, client: httpx.Client, stream: bool, status: int, kind: str, code: str | None
) -> None:
    response = client.post("/chat/completions", json=ask(server, fail(status, "No."), stream=stream))

    assert response.status_code == status
    assert response.json() == {"error": {"message": "No.", "type": kind, "param": None, "code": code}}


def test_failure_may_have_a_code_of_its_own(server: ModelServer, client: httpx.Client) -> None:
    reply = fail(400, "Too long.", code="context_length_exceeded")
    error = client.post("/chat/completions", json=ask(server, reply, stream=False)).json()["error"]

    assert error["code"] == "context_length_exceeded"


def test_failure_leaves_the_connection_in_use(server: ModelServer, client: httpx.Client) -> None:
    response = client.post("/chat/completions", json=ask(server, fail(500), stream=True))

    assert "connection" not in response.headers
    assert client.get("/models").status_code == 200


def test_malformed_answer_is_broken_json_with_status_200(server: ModelServer, client: httpx.Client) -> None:
    response = client.post("/chat/completions", json=ask(server, malformed(), stream=False))

    assert response.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        response.json()


def test_malformed_stream_has_one_broken_chunk_and_no_done(server: ModelServer, client: httpx.Client) -> None:
    response = client.post("/chat/completions", json=ask(server, malformed(), stream=True))
    first, broken, end = response.text.split("\n\n")

    assert json.loads(first.removeprefix("data: "))["choices"][0]["delta"]["role"] == "assistant"
    assert end == ""
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken.removeprefix("data: "))


def test_cut_stream_breaks_inside_its_body_after_so_many_tokens(server: ModelServer, client: httpx.Client) -> None:
    received = read_until_broken(client, ask(server, cut("a b c d", after_tokens=2), stream=True))

    *events, end = received.decode().split("\n\n")
    spoken = [json.loads(event.removeprefix("data: "))["choices"][0] for event in events]
    assert [choice["delta"]["content"] for choice in spoken] == ["", "a", " b"]
    assert {choice["finish_reason"] for choice in spoken} == {None}
    assert end == ""


@pytest.mark.parametrize("after_tokens", [0, 4])
def test_stream_can_be_cut_at_either_end(server: ModelServer, client: httpx.Client, after_tokens: int) -> None:
    received = read_until_broken(client, ask(server, cut("a b c d", after_tokens=after_tokens), stream=True))

    assert received.count(b"data: ") == 1 + after_tokens
    assert b"[DONE]" not in received


def test_clean_cut_ends_the_body_properly_without_a_finish(server: ModelServer, client: httpx.Client) -> None:
    response = client.post(
        "/chat/completions", json=ask(server, cut("a b", after_tokens=1, is_clean=True), stream=True)
    )

    *events, end = response.text.split("\n\n")
    spoken = [json.loads(event.removeprefix("data: "))["choices"][0] for event in events]
    assert [choice["delta"]["content"] for choice in spoken] == ["", "a"]
    assert {choice["finish_reason"] for choice in spoken} == {None}
    assert end == ""


def test_cut_answer_breaks_inside_its_json(server: ModelServer, client: httpx.Client) -> None:
    received = read_until_broken(client, ask(server, cut("a b c d", after_tokens=2), stream=False))

    assert received.startswith(b'{"id": "chatcmpl-')
    with pytest.raises(json.JSONDecodeError):
        json.loads(received)


def test_cut_closes_the_socket(server: ModelServer) -> None:
    data = json.dumps(ask(server, cut("a b", after_tokens=1), stream=True)).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(data)
    with socket.create_connection(server.server_address[:2], timeout=30) as connection:
        connection.sendall(head + data)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert b'"content": "a"' in answer
    assert not answer.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("stream", [False, True])
def test_silent_model_sends_nothing(server: ModelServer, client: httpx.Client, stream: bool) -> None:
    body = ask(server, silent(), stream=stream)

    with pytest.raises(httpx.ReadTimeout):
        client.post("/chat/completions", json=body, timeout=0.2)


@pytest.mark.parametrize("reply", [silent(), say("Late.", hold_s=3600), say("a b", pace_s=3600)])
@pytest.mark.parametrize("stream", [False, True])
def test_client_that_gives_up_frees_its_thread(server: ModelServer, reply: Reply, stream: bool) -> None:
    before = set(threading.enumerate())
    with (
        httpx.Client(base_url=server.base_url, trust_env=False) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.post("/chat/completions", json=ask(server, reply, stream=stream), timeout=0.2)

    for thread in set(threading.enumerate()) - before:
        thread.join(30)
        assert not thread.is_alive()
