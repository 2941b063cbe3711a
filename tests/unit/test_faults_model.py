"""Which requests a fault is for, how messages are edited, how faults combine."""

from __future__ import annotations

import pytest
from faults_upstream import Reply, through

from pytest_letta.faults.fault import (
    NO_FAULT,
    CataloguedFault,
    CutError,
    Fault,
    GoneError,
    Match,
    OnRequest,
    Request,
    Response,
    every_nth,
    together,
)
from pytest_letta.faults.net import add_request_header, add_response_header
from pytest_letta.faults.rest import answer

FIELDS = (("A", "1"), ("b", "2"), ("a", "3"), ("C", "4"))


@pytest.mark.parametrize(
    ("match", "is_meant"),
    [
        (Match(), True),
        (Match("PATCH"), True),
        (Match("PUT|PATCH"), True),
        (Match("PAT"), False),
        (Match("GET"), False),
        (Match(path="/blocks/"), True),
        (Match("PATCH", "^/v1/blocks/[^/]+$"), True),
        (Match("GET", "/blocks/"), False),
        (Match(path="limit"), False),
    ],
)
def test_a_match_is_the_whole_method_and_a_part_of_the_path_without_query(match: Match, is_meant: bool) -> None:
    assert match(Request("PATCH", "/v1/blocks/block-1?limit=3")) is is_meant


@pytest.mark.parametrize("message", [Request("GET", "/", headers=FIELDS), Response(200, headers=FIELDS)])
def test_header_fields_keep_their_order_and_their_neighbours(message: Request | Response) -> None:
    assert message.header("a") == "1"
    assert message.header("x") is None
    assert message.without_header("A").headers == (("b", "2"), ("C", "4"))
    assert message.with_header("B", "9").headers == (("A", "1"), ("B", "9"), ("a", "3"), ("C", "4"))
    assert message.with_header("A", "9").headers == (("A", "9"), ("b", "2"), ("C", "4"))
    assert message.with_header("D", "9").headers == (*FIELDS, ("D", "9"))
    assert message.with_added_header("A", "9").headers == (*FIELDS, ("A", "9"))
    assert message.headers == FIELDS


def test_a_new_body_of_an_answer_replaces_the_framing() -> None:
    chunked = Response(200, (b"a", b"b"), headers=(("Transfer-Encoding", "chunked"), ("X", "1")))

    changed = chunked.with_body(b"three")

    assert changed.headers == (("X", "1"), ("Content-Length", "5"))
    assert changed.read() == b"three"


@pytest.mark.parametrize(("status", "phrase"), [(404, "Not Found"), (299, "")])
def test_an_answer_without_a_phrase_gets_the_usual_one(status: int, phrase: str) -> None:
    assert Response(status).phrase == phrase


def test_faults_laid_over_one_another_see_requests_from_left_to_right_and_answers_back() -> None:
    fault = together(
        add_request_header("X", "left"),
        add_response_header("Y", "left"),
        add_request_header("X", "right"),
        add_response_header("Y", "right"),
    )

    (outcome,) = through(fault, Reply(), {})

    assert dict(outcome.seen[0].headers)["X"] == "right"
    assert [value for name, value in outcome.reply.headers if name == "Y"] == ["right", "left"]


def test_an_answer_of_the_left_fault_keeps_the_right_one_out() -> None:
    asked: list[Request] = []

    def note(request: Request) -> Request:
        asked.append(request)
        return request

    (outcome,) = through(together(answer(418), OnRequest(note)), Reply(), {})

    assert (outcome.reply.status, outcome.seen, asked) == (418, (), [])


def test_a_fault_leaves_requests_alone_that_it_does_not_match() -> None:
    outcomes = through(answer(418, on=Match("GET", "^/a$")), Reply(), {"target": "/a"}, {"target": "/b"})

    assert [outcome.reply.status for outcome in outcomes] == [418, 200]


def test_every_nth_counts_only_the_requests_that_match() -> None:
    fault = every_nth(2, answer(418, on=Match("GET")))
    calls = [{"method": method} for method in ("GET", "POST", "GET", "POST", "GET", "GET")]

    outcomes = through(fault, Reply(), *calls)

    assert [outcome.reply.status for outcome in outcomes] == [200, 200, 418, 200, 200, 418]


def test_the_base_fault_changes_neither_request_nor_answer() -> None:
    request, response = Request("GET", "/"), Response(200)
    assert NO_FAULT.request(request) is request
    assert NO_FAULT.response(request, response) is response
    assert Fault().serve(request, lambda _: response) is response


def test_a_catalogued_fault_stands_at_the_letta_url_unless_it_says_otherwise() -> None:
    catalogued = CataloguedFault("open", ("NET-AUTH-001",), "401", lambda: answer(200))
    assert catalogued.via == "target"


def test_a_cut_and_a_gone_client_are_connection_errors() -> None:
    assert issubclass(CutError, ConnectionError)
    assert issubclass(GoneError, ConnectionError)


def test_a_request_without_a_proxy_does_not_wait_for_ever() -> None:
    Request("GET", "/").pause(0)
    with pytest.raises(GoneError):
        Request("GET", "/").pause(None)
