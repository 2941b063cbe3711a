"""A curl line sends the recorded request again, when it is pasted into a shell."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local_server import Asked, Call, serving

from pytest_letta.client import Recorder, open_client
from pytest_letta.exchange import Exchange, Redactor, curl

TOKEN = "s3cret"
JSON = ("Content-Type", "application/json")
AUTH = ("Authorization", "Bearer s3cret")


def line(body: bytes = b"", *, method: str = "POST", headers: tuple[tuple[str, str], ...] = (), size: int = 0) -> str:
    exchange = Exchange(method, "http://l.test/v1/agents/", headers, body, request_size=size)
    return curl(exchange, Redactor([TOKEN]))


def test_get_is_short() -> None:
    headers = (("Accept", "*/*"), ("Host", "l.test"), ("User-Agent", "x"), ("Connection", "keep-alive"))

    assert line(method="GET", headers=headers) == "curl -sSi http://l.test/v1/agents/"


def test_credentials_are_a_variable_that_the_shell_expands() -> None:
    assert line(method="GET", headers=(AUTH,)) == (
        'curl -sSi http://l.test/v1/agents/ -H "Authorization: Bearer $LETTA_API_KEY"'
    )


def test_json_body_is_minimal() -> None:
    raw = b'{ "a" : [1, 2.50,\n "x  \\" y"], "a": 1e999 }'

    assert line(raw, headers=(JSON,)) == (
        "curl -sSi -X POST http://l.test/v1/agents/ -H 'Content-Type: application/json' "
        """--data-binary '{"a":[1,2.50,"x  \\" y"],"a":1e999}'"""
    )


def test_multipart_body_is_a_comment() -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.af"\r\n\r\n{}\r\n--b--\r\n'

    assert line(body, headers=(("Content-Type", "multipart/form-data; boundary=b"),)) == (
        f"curl -sSi -X POST http://l.test/v1/agents/ # multipart body of {len(body)} bytes not shown, fields: file"
    )


def test_long_body_is_cut_with_a_note() -> None:
    shown = line(b"x" * 3000)

    assert shown.endswith("x # body cut: 2,000 of 3,000 bytes shown")
    assert shown.count("x") == 2000


def test_body_that_was_recorded_in_part_has_a_note() -> None:
    assert line(b'{"a', headers=(JSON,), size=70_000).endswith("""'{"a' # body cut: 3 of 70,000 bytes shown""")


def test_cut_leaves_no_part_of_a_secret_or_of_its_placeholder() -> None:
    for offset in range(1980, 2002):
        shown = line(b"x" * offset + TOKEN.encode() + b"y" * 100)

        assert "s3" not in shown
        assert shown.replace("$LETTA_API_KEY", "").count("$") == 0


def test_stream_is_shown_unbuffered_and_head_asks_for_no_body() -> None:
    stream = Exchange("GET", "http://l.test/", response_headers=(("content-type", "text/event-stream"),))

    assert curl(stream) == "curl -sSi -N http://l.test/"
    assert line(method="HEAD") == "curl -sSi --head http://l.test/v1/agents/"


def paste(text: str, key: str = TOKEN) -> None:
    environment = {"LETTA_API_KEY": key, "PATH": "/usr/local/bin:/usr/bin:/bin"}
    subprocess.run(["sh", "-c", text], env=environment, check=True, capture_output=True, timeout=20)


def as_sent(asked: Asked) -> tuple[str, str, bytes, dict[str, str]]:
    own = {"content-length", "host", "user-agent", "accept-encoding", "connection", "accept"}
    return asked.method, asked.path, asked.body, {k: v for k, v in asked.headers.items() if k not in own}


needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
BODIES = (
    st.binary(min_size=1, max_size=200)
    | st.text(min_size=1).map(lambda text: text.encode(errors="surrogatepass"))
    | st.text(st.sampled_from("'\"\\$`!%@ \n\t\0#&;*?éab" + TOKEN), min_size=1).map(str.encode)
)


@needs_curl
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=BODIES, query=st.text(st.sampled_from("'\"\\$`[]{}%& é"), max_size=8))
def test_pasted_line_sends_the_same_request(body: bytes, query: str) -> None:
    recorder = Recorder()
    with serving(lambda call: call.answer(200)) as server:
        with open_client(server.url, TOKEN, recorder=recorder) as client:
            client.post("/v1/x", content=body, params={"q": query}, headers={"x-odd": 'it\'s "$HOME"', "x-none": ""})
        (text,) = recorder.curl_since(0)
        paste(text)

    first, second = server.asked
    assert "s3cret" not in text
    assert as_sent(first) == as_sent(second)


@needs_curl
@given(value=st.recursive(st.none() | st.text() | st.integers() | st.floats(allow_nan=False), st.lists))
@settings(max_examples=30, deadline=None)
def test_pasted_json_means_the_same(value: object) -> None:
    raw = json.dumps({"v": value}, indent=2).encode()
    recorder = Recorder()
    with serving(lambda call: call.answer(200)) as server:
        with open_client(server.url, recorder=recorder) as client:
            client.request("PATCH", "/", content=raw, headers={"content-type": "application/json"})
        paste(curl(recorder.exchanges[0], body_limit=100_000))

    assert [json.loads(asked.body) for asked in server.asked] == [{"v": value}] * 2


@needs_curl
def test_pasted_get_and_odd_paths_stay_what_they_are() -> None:
    def ok(call: Call) -> None:
        call.answer(200)

    recorder = Recorder()
    with serving(ok) as server:
        with open_client(server.url, recorder=recorder) as client:
            client.get("/v1/./a/../b")
            client.get("/v1/[x]")
        for text in recorder.curl_since(0):
            paste(text)

    assert server.paths[:2] == server.paths[2:]
