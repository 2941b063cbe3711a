"""The token goes to the origin it was given for, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from local_server import Call, Server, serving

from pytest_letta.client import Recorder, open_client
from pytest_letta.errors import ReadOnlyError

TOKEN = "s3cret-of-the-deployment"


def ok(call: Call) -> None:
    call.answer(200, {"ok": True})


@pytest.fixture
def other() -> Iterator[Server]:
    """Another origin: the same host with another port."""
    with serving(ok) as server:
        yield server


def test_token_goes_to_its_own_origin() -> None:
    with serving(ok) as server, open_client(server.url + "/prefix", TOKEN) as client:
        client.get("/v1/agents/")

    assert [("/prefix/v1/agents/", f"Bearer {TOKEN}")] == [(a.path, a.headers["authorization"]) for a in server.asked]


def test_without_a_token_none_is_sent() -> None:
    with serving(ok) as server, open_client(server.url) as client:
        client.get("/")

    assert "authorization" not in server.asked[0].headers


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_to_another_origin_carries_no_credentials(other: Server, status: int) -> None:
    def redirect(call: Call) -> None:
        call.answer(status, location=f"{other.url}/stolen")

    own = {"X-BARE-PASSWORD": f"password {TOKEN}"}
    with serving(redirect) as server, open_client(server.url, TOKEN) as client:
        client.get("/", follow_redirects=True)
        client.get("/", follow_redirects=True, headers=own)

    assert [f"Bearer {TOKEN}", None] == [asked.headers.get("authorization") for asked in server.asked]
    assert other.paths == ["/stolen", "/stolen"]
    assert all(TOKEN not in str(asked) for asked in other.asked)


def test_request_straight_to_another_origin_carries_no_credentials(other: Server) -> None:
    with serving(ok) as server, open_client(server.url, TOKEN) as client:
        client.get(other.url, headers={"Authorization": f"Bearer {TOKEN}"})

    assert TOKEN not in str(other.asked)


def test_redirect_within_the_origin_keeps_method_body_and_token() -> None:
    def add_slash(call: Call) -> None:
        if call.path == "/v1/agents":
            call.answer(307, location="/v1/agents/")
        else:
            ok(call)

    with serving(add_slash) as server, open_client(server.url, TOKEN) as client:
        client.post("/v1/agents", json={"name": "x"}, follow_redirects=True)

    seen = [(a.method, a.path, a.body, a.headers["authorization"]) for a in server.asked]
    assert seen == [("POST", path, b'{"name":"x"}', f"Bearer {TOKEN}") for path in ("/v1/agents", "/v1/agents/")]


def test_redirects_are_not_followed_by_themselves() -> None:
    with serving(lambda call: call.answer(307, location="/b")) as server, open_client(server.url) as client:
        answer = client.get("/a")

    assert (answer.status_code, server.paths) == (307, ["/a"])


def test_second_origin_gets_the_token_when_it_is_trusted(other: Server) -> None:
    with open_client("http://letta.test", TOKEN, also_trusted=[other.url]) as client:
        client.get(other.url)

    assert f"Bearer {TOKEN}" == other.asked[0].headers["authorization"]


@pytest.mark.parametrize(
    ("own", "sent"),
    [
        ({"Authorization": "Bearer pytest-letta-wrong"}, {"authorization": "Bearer pytest-letta-wrong"}),
        ({"authorization": "bearer lower"}, {"authorization": "bearer lower"}),
        ({"X-BARE-PASSWORD": "password x"}, {"x-bare-password": "password x"}),
        ({"Authorization": ""}, {}),
    ],
)
def test_credentials_of_a_request_take_the_place_of_the_token(own: dict[str, str], sent: dict[str, str]) -> None:
    with serving(ok) as server, open_client(server.url, TOKEN) as client:
        client.get("/", headers=own)

    headers = server.asked[0].headers
    assert sent == {name: headers[name] for name in ("authorization", "x-bare-password") if name in headers}


def test_token_is_in_nothing_that_a_recorder_or_a_response_shows() -> None:
    def echo(call: Call) -> None:
        call.answer(200, {"you": call.headers["authorization"]}, x_echo=call.headers["authorization"])

    recorder = Recorder()
    with serving(echo) as server, open_client(server.url, TOKEN, recorder=recorder) as client:
        answer = client.post(f"/?key={TOKEN}", json={"key": TOKEN})

    (exchange,) = recorder.exchanges
    assert ("Authorization", "Bearer $LETTA_API_KEY") in exchange.request_headers
    assert exchange.body == b'{"you": "Bearer $LETTA_API_KEY"}'
    shown = [exchange.url, exchange.request_headers, exchange.request_body, exchange.response_headers]
    assert TOKEN not in repr([*shown, exchange.body, exchange, recorder, recorder.curl_since(0)])
    assert "authorization" not in answer.request.headers


def test_read_only_client_sends_safe_methods_only() -> None:
    with serving(ok) as server, open_client(server.url, read_only=True) as client:
        client.get("/")
        client.head("/")
        with pytest.raises(ReadOnlyError, match=r"POST http://.*/v1/agents/ was not sent: .*--letta-read-only"):
            client.post("/v1/agents/", json={})

    assert [asked.method for asked in server.asked] == ["GET", "HEAD"]
