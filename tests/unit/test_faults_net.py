"""Each fault of connections, redirects, headers and CORS does what it says, and nothing else."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from http.client import RemoteDisconnected
from typing import Any

import pytest
from faults_upstream import Handler, Outcome, Reply, Seen, Wire, always, get, serving, through

from pytest_letta.faults import net
from pytest_letta.faults.fault import NO_FAULT, Fault, Match, Request
from pytest_letta.faults.proxy import FaultProxy

GIVEN = Reply(
    200,
    (
        ("Content-Type", "application/json"),
        ("X-Two", "1"),
        ("Access-Control-Allow-Origin", "http://a"),
        ("x-two", "2"),
        ("access-control-allow-credentials", "true"),
    ),
    b"{}",
)
CALL: dict[str, Any] = {
    "method": "PUT",
    "target": "/v1/x/y?a=1&a=2",
    "body": b"12345",
    "headers": (("Authorization", "Bearer t"), ("Origin", "http://b")),
}


def answered(*headers: tuple[str, str]) -> Reply:
    return Reply(200, (*headers, ("Content-Length", "2")), b"{}", "OK")


CONTENT, TWO, ALLOW, TOO, CREDENTIALS = GIVEN.headers


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (net.drop_response_header("X-Two"), answered(CONTENT, ALLOW, CREDENTIALS)),
        (net.change_response_header("X-Two", "9"), answered(CONTENT, ("X-Two", "9"), ALLOW, CREDENTIALS)),
        (
            net.add_response_header("Access-Control-Allow-Origin", "*"),
            replace(answered(), headers=(*GIVEN.headers, ("Content-Length", "2"), (ALLOW[0], "*"))),
        ),
        (net.strip_cors(), answered(CONTENT, TWO, TOO)),
        (
            net.allow_any_origin(),
            answered(CONTENT, TWO, (ALLOW[0], "*"), TOO, ("Access-Control-Allow-Credentials", "true")),
        ),
        (
            net.allow_any_origin("echo"),
            answered(CONTENT, TWO, (ALLOW[0], "http://b"), TOO, ("Access-Control-Allow-Credentials", "true")),
        ),
        (net.limit_body(5), answered(*GIVEN.headers)),
        (net.limit_connections(1), answered(*GIVEN.headers)),
        (net.redirect_as_303(), answered(*GIVEN.headers)),
        (net.rewrite_location(scheme="https"), answered(*GIVEN.headers)),
        (net.delay(0), answered(*GIVEN.headers)),
        (net.hang(on=Match("GET")), answered(*GIVEN.headers)),
    ],
)
def test_an_answer_is_changed_in_one_place(fault: Fault, expected: Reply) -> None:
    (without,), (with_fault,) = through(NO_FAULT, GIVEN, CALL), through(fault, GIVEN, CALL)
    assert with_fault == replace(without, reply=expected)


@pytest.mark.parametrize(
    ("fault", "name", "value"),
    [
        (net.drop_request_header("authorization"), "Authorization", None),
        (net.add_request_header("Authorization", "Bearer stolen"), "Authorization", "Bearer stolen"),
        (net.add_request_header("user_id", "user-1"), "user_id", "user-1"),
    ],
)
def test_a_request_is_changed_in_one_header(fault: Fault, name: str, value: str | None) -> None:
    (without,), (with_fault,) = through(NO_FAULT, GIVEN, CALL), through(fault, GIVEN, CALL)

    expected = {k: v for k, v in {**dict(without.seen[0].headers), name: value}.items() if v is not None}
    assert dict(with_fault.seen[0].headers) == expected
    assert replace(with_fault.seen[0], headers=()) == replace(without.seen[0], headers=())
    assert with_fault.reply == without.reply


def test_a_rewritten_target_is_all_that_changes() -> None:
    (without,), (with_fault,) = through(NO_FAULT, GIVEN, CALL), through(net.rewrite_target("/y", "/z"), GIVEN, CALL)
    assert with_fault == replace(without, seen=(replace(without.seen[0], target="/v1/x/z?a=1&a=2"),))


def test_a_preflight_of_anybody_is_granted_without_forwarding() -> None:
    asks = (
        ("Origin", "http://evil"),
        ("Access-Control-Request-Method", "DELETE"),
        ("Access-Control-Request-Headers", "authorization"),
    )

    (outcome,) = through(net.allow_any_origin(), GIVEN, {"method": "OPTIONS", "headers": asks})

    granted = (
        ("Content-Length", "0"),
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Allow-Methods", "DELETE"),
        ("Access-Control-Allow-Headers", "authorization"),
    )
    assert outcome == Outcome(Reply(200, granted, b"", "OK"), ())


def test_a_request_without_origin_is_granted_nothing() -> None:
    call = {"target": "/"}
    assert through(net.allow_any_origin(), GIVEN, call) == through(NO_FAULT, GIVEN, call)


@pytest.mark.parametrize(("fault", "status"), [(net.limit_body(4), 413), (net.limit_connections(0), 503)])
def test_a_limit_refuses_without_forwarding(fault: Fault, status: int) -> None:
    (outcome,) = through(fault, GIVEN, CALL)
    assert (outcome.reply.status, outcome.seen) == (status, ())


def test_connections_over_the_limit_are_refused_and_those_before_are_served() -> None:
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    with (
        serving(GIVEN) as server,
        FaultProxy(server.url, net.limit_connections(3)) as proxy,
        ExitStack() as stack,
    ):
        statuses = []
        clients = [stack.enter_context(Wire(proxy.url)) for _ in range(5)]
        for client in (*clients, clients[0]):
            client.send(request)
            statuses.append(client.until(b"\r\n\r\n").split()[1])
            client.until(b"{}" if statuses[-1] == b"200" else b"</html>\n")
        assert statuses == [b"200", b"200", b"200", b"503", b"503", b"200"]


@pytest.mark.parametrize(("status", "expected"), [(307, 303), (308, 303), (302, 302), (404, 404)])
def test_only_redirects_that_keep_the_method_become_303(status: int, expected: int) -> None:
    given = Reply(status, (("Location", "/v1/x/"),))
    (without,), (with_fault,) = through(NO_FAULT, given, CALL), through(net.redirect_as_303(), given, CALL)
    reason = {303: "See Other"}.get(expected, "OK")
    assert with_fault == replace(without, reply=replace(without.reply, status=expected, reason=reason))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "PROXY/v1/x/?a=%20b#c"),
        ({"scheme": "https"}, "https://HOST:PORT/v1/x/?a=%20b#c"),
        ({"port": "drop"}, "http://HOST/v1/x/?a=%20b#c"),
        ({"host": "evil.example"}, "http://evil.example:PORT/v1/x/?a=%20b#c"),
        ({"scheme": "https", "host": "h", "port": 1, "drop_query": True}, "https://h:1/v1/x/#c"),
    ],
)
@pytest.mark.parametrize("given", ["http://UP/v1/x/?a=%20b#c", "/v1/x/?a=%20b#c"])
def test_a_redirect_leads_elsewhere_in_the_part_that_was_asked_for(
    changes: dict[str, Any], expected: str, given: str
) -> None:
    def redirect(handler: Handler, seen: Seen) -> None:
        location = given.replace("UP", dict(seen.headers)["Host"])
        always(Reply(307, (("Location", location), ("X", "1"))))(handler, seen)

    with serving(redirect) as server, FaultProxy(server.url, net.rewrite_location(**changes)) as proxy:
        reply = get(proxy.url)
        host, _, port = proxy.url.removeprefix("http://").partition(":")
        location = expected.replace("PROXY", proxy.url).replace("HOST", host).replace("PORT", port)
        assert reply.headers == (("Location", location), ("X", "1"), ("Content-Length", "0"))
        assert reply.status == 307


def test_a_hang_up_is_no_answer() -> None:
    with serving(GIVEN) as server, FaultProxy(server.url, net.hang_up()) as proxy:
        with pytest.raises(RemoteDisconnected):
            get(proxy.url)
        assert server.seen == []


def test_a_hanging_request_is_never_forwarded_and_ends_when_the_client_leaves() -> None:
    is_asked, is_over = threading.Event(), threading.Event()

    class Noted(Fault):
        def serve(self, request: Request, forward: Any) -> Any:
            is_asked.set()
            try:
                return net.hang().serve(request, forward)
            finally:
                is_over.set()

    with serving(GIVEN) as server, FaultProxy(server.url, Noted()) as proxy:
        with Wire(proxy.url) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert is_asked.wait(20)
            assert not is_over.is_set()
        assert is_over.wait(20)
        assert server.seen == []


def test_a_delay_comes_before_forwarding() -> None:
    order: list[Any] = []
    request = Request("GET", "/", pause=order.append)
    net.delay(2.5).serve(request, lambda _: order.append("forwarded") or always)  # type: ignore[arg-type, return-value, func-returns-value]
    assert order == [2.5, "forwarded"]


def test_a_delayed_request_is_answered_even_if_the_next_one_is_already_there() -> None:
    with serving(GIVEN) as server, FaultProxy(server.url, net.delay(0.01)) as proxy, Wire(proxy.url) as client:
        client.send(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        for _ in range(3):
            client.until(b"\r\n\r\n{}")
