"""The comparison of both ways: what counts, what is left out, and which setting of nginx is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count

import pytest
from local_server import Call, serving

from pytest_letta.client import Recorder, open_client
from pytest_letta.conformance.differential import MORE_HEADERS, Question, difference

Respond = Callable[[Call], None]


def told(direct: Respond, proxied: Respond, question: Question) -> str | None:
    """Return what is said of a server that answers in these two ways."""
    with (
        serving(direct) as one,
        serving(proxied) as other,
        open_client(one.url) as client,
        open_client(other.url) as proxy,
    ):
        return difference(client, proxy, question, MORE_HEADERS)


def ok(call: Call) -> None:
    call.answer(200, {"a": [1, {"b": "c"}]}, date_of="now")


def redirect(call: Call) -> None:
    call.answer(307, location=f"http://{call.headers['host']}/v1/agents/?a=b")


@pytest.mark.parametrize("respond", [ok, redirect])
def test_equal_answers_do_not_differ(respond: Respond) -> None:
    assert told(respond, respond, Question("/v1/agents?a=b")) is None


def test_what_changes_from_one_direct_answer_to_the_next_is_left_out() -> None:
    numbers = count()

    def counting(call: Call) -> None:
        call.answer(200, {"at": next(numbers), "same": 1})

    def other(call: Call) -> None:
        call.answer(200, {"at": next(numbers), "same": True})

    assert told(counting, counting, Question("/")) is None
    assert "body.same is true, not 1" in str(told(counting, other, Question("/")))


@pytest.mark.parametrize(
    ("status", "body", "headers", "question", "expected"),
    [
        (413, "<html>", {}, Question("/", "POST", content=b"x"), "status is 413, not 200.*client_max_body_size"),
        (304, "", {}, Question("/", headers={"If-None-Match": "*"}), "status is 304.*no proxy_cache"),
        (
            403,
            "<h1>No</h1>",
            {"content_type": "text/html"},
            Question("/"),
            "status is 403, not 200; header content-type .*; the proxy answered by itself, with an HTML page, 'No' ",
        ),
        (502, "<html>", {}, Question("/"), "status is 502.*proxy_pass must name"),
        (404, "<html>", {}, Question("/v1//x"), "proxy_pass without a URI, nothing after host and port"),
        (404, "<html>", {"content_type": "text/html"}, Question("/x"), "one `location /` with proxy_pass"),
        (301, "", {"location": "/x/"}, Question("/x"), "`location /` for Letta and no rewrite"),
        (200, {"a": []}, {}, Question("/x?a=b"), "proxy_pass without a URI, or with .request_uri"),
        (200, {"a": []}, {}, Question("/x", headers={"user_id": "x"}), "underscores_in_headers on"),
        (200, {"a": []}, {"cache_control": "max-age=9"}, Question("/x"), "no expires and no add_header"),
        (
            200,
            "not packed at all",
            {"content_encoding": "gzip"},
            Question("/x"),
            "no answer, DecodingError.*proxy_http_version 1.1",
        ),
    ],
)
def test_a_difference_names_its_cure(
    status: int, body: object, headers: dict[str, str], question: Question, expected: str
) -> None:
    def proxied(call: Call) -> None:
        call.answer(status, body, **headers)

    found = told(ok, proxied, question)

    assert found is not None
    assert found.startswith(f"{question.method} {question.target} through the proxy: ")

    assert re.search(expected, found), found


def test_long_texts_are_shown_from_where_they_part_on() -> None:
    def direct(call: Call) -> None:
        call.answer(200, {"a": "x" * 500 + "one"})

    def proxied(call: Call) -> None:
        call.answer(200, {"a": "x" * 500 + "two"})

    assert f"body.a is ...{'x' * 20}two, not ...{'x' * 20}one" in str(told(direct, proxied, Question("/")))


def test_a_target_is_sent_and_recorded_as_it_is() -> None:
    recorder = Recorder()
    target = "//v1/./a/../%2e?b=[0]&&c=%zz"
    with serving(ok) as server, open_client(f"{server.url}/below", recorder=recorder) as client:
        Question(target).ask(client)

        assert server.paths == [f"/below{target}"]
        assert [one.url for one in recorder.exchanges] == [f"{server.url}/below{target}"]


def test_pieces_are_sent_one_by_one() -> None:
    with serving(ok) as server, open_client(server.url) as client:
        Question("/", "PATCH", content=(b"a", b"b")).ask(client)

        assert [(one.body, one.headers.get("transfer-encoding")) for one in server.asked] == [(b"ab", "chunked")]


def test_a_refusal_of_another_kind_is_an_error_page_of_the_proxy() -> None:
    def refused(call: Call) -> None:
        call.answer(404, {"detail": "Not Found"})

    def page(call: Call) -> None:
        call.answer(404, "Sorry.", content_type="text/plain")

    said = str(told(refused, page, Question("/")))
    assert "header content-type is text/plain, not application/json" in said
    assert "(nginx: proxy_intercept_errors off, and no error_page)" in said
