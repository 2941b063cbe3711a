"""Without a fault the proxy is transparent: what passes is what was sent, byte for byte."""

from __future__ import annotations

import hashlib
import ssl
import threading
from pathlib import Path

import pytest
import trustme
from faults_upstream import Handler, Reply, Seen, Wire, get, serving

from pytest_letta.faults.proxy import FaultProxy

JSON = ("Content-Type", "application/json")


@pytest.mark.parametrize("status", [200, 201, 204, 304, 307, 401, 404, 409, 422, 500, 503])
def test_an_answer_arrives_as_the_server_gave_it(status: int) -> None:
    headers = (JSON, ("Set-Cookie", "a=1"), ("x-ODD-case", "caf\xe9"), ("Set-Cookie", "b=2; Path=/"), ("Empty", ""))
    given = Reply(status, headers, b'{"caf\xc3\xa9": 1}\x00\r\n\r\n', "A Phrase Of Its Own")
    with serving(given) as server, FaultProxy(server.url) as proxy:
        assert get(proxy.url) == get(server.url)
        assert get(proxy.url, "HEAD") == get(server.url, "HEAD")


def test_a_request_arrives_as_the_client_sent_it() -> None:
    with serving(Reply()) as server, FaultProxy(server.url) as proxy, Wire(proxy.url) as client:
        client.send(
            b"PATCH /v1/x HTTP/1.1\r\nHost: elsewhere\r\nX-Twice: 1\r\nauthorization: Bearer t\r\nX-Twice: 2\r\n"
            b"Content-Length: 5\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n\r\n\x00\xff{}\n"
        )
        client.until(b"\r\n\r\n")

        expected = (
            ("Host", server.authority),
            ("X-Twice", "1"),
            ("authorization", "Bearer t"),
            ("X-Twice", "2"),
            ("Content-Length", "5"),
        )
        assert server.seen == [Seen("PATCH", "/v1/x", expected, b"\x00\xff{}\n")]


@pytest.mark.parametrize(
    "target",
    [b"/a?q=%2F%20x&b=+&b=&&c;=%zz", b"//v1//agents/../x/?", b"/?q=caf\xc3\xa0\x85", b"/a?b?c#d", b"*", b"/%00"],
)
def test_path_and_query_arrive_byte_for_byte(target: bytes) -> None:
    with serving(Reply()) as server, FaultProxy(server.url) as proxy, Wire(proxy.url) as client:
        client.send(b"OPTIONS " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        client.until(b"\r\n\r\n")
        # The test server splits at spaces only.
        assert [seen.target.encode("latin-1") for seen in server.seen] == [target]


def test_a_chunked_request_body_arrives_whole() -> None:
    with serving(Reply()) as server, FaultProxy(server.url) as proxy, Wire(proxy.url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send(b"3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n")
        client.until(b"\r\n\r\n")

        assert server.seen[0].body == b"abc0123456789"
        assert ("Content-Length", "13") in server.seen[0].headers


def test_a_client_that_expects_100_is_told_to_go_on() -> None:
    with serving(Reply()) as server, FaultProxy(server.url) as proxy, Wire(proxy.url) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert client.until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        client.send(b"{}")
        assert client.until(b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        assert server.seen[0].body == b"{}"
        # The proxy has answered it; a server that answered it again would answer nobody.
        assert "Expect" not in dict(server.seen[0].headers)


def test_20_megabytes_pass_in_both_directions() -> None:
    def echo(handler: Handler, seen: Seen) -> None:
        handler.head(200, (("Content-Length", str(len(seen.body))),))
        handler.wfile.write(seen.body)

    body = bytes(range(251)) * 80_000
    with serving(echo) as server, FaultProxy(server.url) as proxy:
        reply = get(proxy.url, "POST", body=body)
    assert hashlib.sha256(reply.body).digest() == hashlib.sha256(body).digest()


def test_20_megabytes_pass_chunked() -> None:
    piece = bytes(range(250)) * 400

    def chunks(handler: Handler, seen: Seen) -> None:
        handler.head(200, (("Transfer-Encoding", "chunked"),))
        for _ in range(200):
            handler.chunk(piece)
        handler.chunk(b"")

    with serving(chunks) as server, FaultProxy(server.url) as proxy:
        assert get(proxy.url).body == piece * 200


def test_one_client_connection_carries_many_requests() -> None:
    with serving(Reply(200, (), b"hi")) as server, FaultProxy(server.url) as proxy, Wire(proxy.url) as client:
        for method in (b"GET", b"HEAD", b"POST", b"GET"):
            client.send(method + b" /%b HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" % method)
            head = client.until(b"\r\n\r\n")
            assert b"Content-Length: 2" in head
            assert b"Connection" not in head
            if method != b"HEAD":
                assert client.until(b"hi") == b"hi"
        client.send(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert client.rest().count(b"HTTP/1.1 200 OK") == 2
        assert [seen.target for seen in server.seen] == ["/GET", "/HEAD", "/POST", "/GET", "/1", "/2"]


@pytest.mark.parametrize(
    "given",
    [Reply(200, (("Transfer-Encoding", "chunked"),), b"2\r\nhi\r\n0\r\n\r\n"), Reply(200, (), b"hi")],
    ids=["chunked", "length"],
)
def test_an_http_1_0_client_gets_a_body_that_ends_with_the_connection(given: Reply) -> None:
    with serving(given) as server, FaultProxy(server.url) as proxy, Wire(proxy.url) as client:
        client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        head, _, body = client.rest().partition(b"\r\n\r\n")
    assert b"Transfer-Encoding" not in head
    assert b"Connection: close" in head
    assert body == b"hi"


def test_a_body_that_ends_with_the_connection_passes() -> None:
    def until_closed(handler: Handler, seen: Seen) -> None:
        handler.head(200, (JSON,))
        handler.wfile.write(b"until the end")
        handler.close_connection = True

    with serving(until_closed) as server, FaultProxy(server.url) as proxy:
        assert get(proxy.url).body == b"until the end"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 201])
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://UP/v1/agents/?a=%20b&c", "PROXY/v1/agents/?a=%20b&c"),
        ("http://UP", "PROXY"),
        ("HTTP://UP/x", "PROXY/x"),
        ("http://UP1/x", "http://UP1/x"),
        ("https://UP/x", "https://UP/x"),
        ("http://other/?to=http://UP/", "http://other/?to=http://UP/"),
        ("/v1/agents/?a=1", "/v1/agents/?a=1"),
        ("../x", "../x"),
    ],
)
def test_a_redirect_leads_to_the_proxy_where_it_led_to_the_server(status: int, given: str, expected: str) -> None:
    def redirect(handler: Handler, seen: Seen) -> None:
        authority = dict(seen.headers)["Host"]
        handler.head(status, (("Location", given.replace("UP", authority)), ("Content-Length", "0")))

    with serving(redirect) as server, FaultProxy(server.url) as proxy:
        location = dict(get(proxy.url).headers)["Location"]
        assert location == expected.replace("UP", server.authority).replace("PROXY", proxy.url)


def test_the_path_of_the_upstream_url_is_kept() -> None:
    with serving(Reply()) as server, FaultProxy(server.url + "/letta/api") as proxy:
        assert proxy.url.endswith("/letta/api")
        get(proxy.url, target="/letta/api/v1/")
        assert server.seen[0].target == "/letta/api/v1/"


def test_requests_go_to_another_upstream_once_the_proxy_leads_there() -> None:
    one, two = Reply(headers=(("X", "one"),)), Reply(headers=(("X", "two"),))
    with serving(one) as first, serving(two) as second, FaultProxy(first.url) as proxy:
        before = dict(get(proxy.url).headers)["X"]
        proxy.lead_to(second.url)
        after = dict(get(proxy.url).headers)["X"]

    assert (before, after) == ("one", "two")


def test_an_upstream_behind_tls_is_reached_and_its_certificate_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serving(Reply(200, (), b"x" * 100_000), tls=context) as server, FaultProxy(server.url) as proxy:
        assert server.url.startswith("https://")
        untrusted = get(proxy.url)
        assert (untrusted.status, b"certificate verify failed" in untrusted.body) == (502, True)

        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert get(proxy.url).body == b"x" * 100_000


def test_a_hundred_clients_are_served_at_once() -> None:
    all_there = threading.Barrier(100, timeout=20)

    def together(handler: Handler, seen: Seen) -> None:
        all_there.wait()
        handler.head(200, (("Content-Length", "0"),))

    statuses: list[int] = []
    with serving(together) as server, FaultProxy(server.url) as proxy:
        threads = [threading.Thread(target=lambda: statuses.append(get(proxy.url).status)) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert statuses == [200] * 100
