"""A call that makes no sense is refused in OpenAI's shape, and the server goes on."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from pytest_letta.llm import serve
from pytest_letta.llm.server import ModelServer

CHAT, EMBED = "/v1/chat/completions", "/v1/embeddings"
HELLO = [{"role": "user", "content": "Hi"}]


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with serve() as server:
        yield server


@pytest.fixture
def client(server: ModelServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        yield client
        # Whatever was sent: the same connection, or a new one, still works.
        assert client.get("/health").status_code == 200


def refusal(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    return dict(error)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages[0]"),
        ({"messages": [*HELLO, {"content": "Hi"}]}, "messages[1]"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": [1]}, "stream_options"),
        ({"stream_options": {"include_usage": 1}}, "include_usage"),
        ({"tools": {}}, "tools"),
        ({"tools": [3]}, "tools[0].function.name"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name"),
    ],
)
def test_wrong_chat_field_is_named(client: httpx.Client, fields: dict[str, Any], param: str) -> None:
    body = {"model": "gpt-4o", "messages": HELLO, **fields}

    assert refusal(client.post(CHAT, json=body), 400)["param"] == param


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": 1}, "model"),
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": ["a", 1]}, "input"),
        ({"input": [[1], []]}, "input"),
        ({"input": [True]}, "input"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": "8"}, "dimensions"),
        ({"dimensions": 10**9}, "dimensions"),
    ],
)
def test_wrong_embeddings_field_is_named(client: httpx.Client, fields: dict[str, Any], param: str) -> None:
    body = {"model": "text-embedding-3-small", "input": "x", **fields}

    assert refusal(client.post(EMBED, json=body), 400)["param"] == param


@pytest.mark.parametrize("path", [CHAT, EMBED])
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b"\xff\xfe\x00", b"[" * 100_000, b'{"a":' * 2000],
    ids=["empty", "broken", "list", "text", "bytes", "deep list", "deep object"],
)
def test_body_that_is_no_json_object_is_refused(client: httpx.Client, path: str, body: bytes) -> None:
    refusal(client.post(path, content=body), 400)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1/nothing", 404),
        ("POST", "/v1/completions", 404),
        ("GET", CHAT, 405),
        ("DELETE", "/v1/models", 405),
        ("PATCH", EMBED, 405),
        ("OPTIONS", "/health", 405),
        ("POST", "/_control/requests", 404),
        ("GET", "/_control/scripts/a", 404),
        ("PUT", "/_control/scripts/", 404),
        ("GET", "/_control/nothing", 404),
    ],
)
def test_wrong_path_or_method_is_refused(client: httpx.Client, method: str, path: str, status: int) -> None:
    refusal(client.request(method, path, json={} if method != "GET" else None), status)


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("a%20b", {"replies": [{"kind": "silent"}]}, "key must be 1 to 64"),
        ("a", {"replies": []}, "at least one reply"),
        ("a", {"replies": [{"kind": "shout"}]}, "kind must be one of"),
        ("a", {"replies": {}}, "must be a JSON object"),
        ("a", [], "must be a JSON object"),
        ("a", {"replies": [], "more": 1}, "must be a JSON object"),
    ],
)
def test_wrong_script_is_refused(client: httpx.Client, path: str, body: Any, message: str) -> None:
    assert message in refusal(client.put(f"/_control/scripts/{path}", json=body), 400)["message"]


@pytest.mark.parametrize("query", ["since=-1", "since=x", "since=", "since=%D9%A3", "kye=a", "since=1&kye=a"])
def test_wrong_query_is_refused(client: httpx.Client, query: str) -> None:
    refusal(client.get(f"/_control/requests?{query}"), 400)


def test_misspelt_key_deletes_nothing(server: ModelServer, client: httpx.Client) -> None:
    client.post(CHAT, json={"model": "gpt-4o", "messages": HELLO})
    refusal(client.delete("/_control/requests?kye=a"), 400)

    assert server.model.requests()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"NONSENSE\r\n\r\n", b"400"),
        (b"GET /health HTTP/9.9\r\n\r\n", b"505"),
        (b"BREW /health HTTP/1.1\r\n\r\n", b"501"),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"POST /health HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"411"),
        (b"POST /health HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"411"),
        (b"POST /health HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"411"),
        (b"POST /health HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n{}", b"413"),
        (b"POST /health HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", b"413"),
    ],
    ids=["line", "version", "method", "long", "length", "negative", "chunked", "large", "digits"],
)
def test_wrong_http_is_refused_and_closes_the_connection(
    server: ModelServer, client: httpx.Client, head: bytes, status: bytes
) -> None:
    with socket.create_connection(server.server_address[:2], timeout=30) as connection:
        connection.sendall(head)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert answer.partition(b"\r\n")[0].split()[:2] == [b"HTTP/1.1", status]
    assert b'"error": {"message"' in answer


def test_client_that_leaves_inside_its_body_is_no_defect(
    server: ModelServer, client: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(server.server_address[:2], timeout=30) as connection:
        connection.sendall(b"POST /v1/embeddings HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
    assert client.get("/health").status_code == 200

    assert capsys.readouterr().err == ""


def test_refused_request_is_recorded_all_the_same(server: ModelServer, client: httpx.Client) -> None:
    client.post(CHAT, json={"messages": "strange"})

    assert server.model.requests()[-1].body == {"messages": "strange"}


def test_head_has_no_body(client: httpx.Client) -> None:
    assert client.head("/health").status_code == 405
