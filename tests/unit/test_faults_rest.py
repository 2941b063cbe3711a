"""Each fault of bodies, lists, statuses and writes does what it says, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from faults_upstream import Handler, Outcome, Reply, Seen, Stream, Wire, always, serving, through

from pytest_letta.faults import json_edit, rest, writes
from pytest_letta.faults.fault import NO_FAULT, Fault, Match
from pytest_letta.faults.proxy import FaultProxy

JSON = ("Content-Type", "application/json")
# Spaces and escapes that json.dumps would write otherwise: bytes must stay where nothing is changed.
OBJECT = b'{"id":"a-1",  "name": "caf\xc3\xa9", "tags": ["p", "q"], "n": 1e2}'
LIST = b'[{"id":"1","name":"x"},  {"id":"2"}, {"id":"3","name":null}]'


def outcomes(fault: Fault, body: bytes, sent: bytes | None = None, status: int = 200) -> tuple[Outcome, Outcome]:
    """Give what happens without and with the fault."""
    given = Reply(status, (JSON, ("X-Kept", "1"), ("X-Kept", "2")), body)
    call: dict[str, Any] = {"method": "POST", "target": "/v1/x?a=1", "body": sent or b"{}", "headers": (JSON,)}
    (without,), (with_fault,) = through(NO_FAULT, given, call), through(fault, given, call)
    return without, with_fault


def answered(outcome: Outcome, body: bytes, **changes: Any) -> Outcome:
    """Give the outcome that differs in the answer's body, its length and these changes."""
    headers = tuple((k, str(len(body)) if k == "Content-Length" else v) for k, v in outcome.reply.headers)
    return replace(outcome, reply=replace(outcome.reply, **{"body": body, "headers": headers, **changes}))


def asked(outcome: Outcome, body: bytes) -> Outcome:
    """Give the outcome that differs in the request's body and its length."""
    (seen,) = outcome.seen
    headers = tuple((k, str(len(body)) if k == "Content-Length" else v) for k, v in seen.headers)
    return replace(outcome, seen=(replace(seen, body=body, headers=headers),))


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("fault", "body", "expected"),
    [
        (
            rest.rename_response_field("name", "title"),
            OBJECT,
            {"id": "a-1", "title": "caf\xe9", "tags": ["p", "q"], "n": 1e2},
        ),
        (rest.drop_response_field("tags.0"), OBJECT, {"id": "a-1", "name": "caf\xe9", "tags": ["q"], "n": 1e2}),
        (rest.set_response_field("name", None), OBJECT, {"id": "a-1", "name": None, "tags": ["p", "q"], "n": 1e2}),
        (
            rest.set_response_field("1.name", "y"),
            LIST,
            [{"id": "1", "name": "x"}, {"id": "2", "name": "y"}, _3 := {"id": "3", "name": None}],
        ),
        (rest.drop_response_field("*.name"), LIST, [{"id": "1"}, {"id": "2"}, {"id": "3"}]),
        (rest.drop_list_item(), LIST, [{"id": "2"}, _3]),
        (rest.drop_list_item(-1), LIST, [{"id": "1", "name": "x"}, {"id": "2"}]),
        (rest.duplicate_list_item(1), LIST, [{"id": "1", "name": "x"}, {"id": "2"}, {"id": "2"}, _3]),
        (
            rest.duplicate_list_item(path="tags"),
            OBJECT,
            {"id": "a-1", "name": "caf\xe9", "tags": ["p", "p", "q"], "n": 1e2},
        ),
        (rest.reverse_list(), LIST, [_3, {"id": "2"}, {"id": "1", "name": "x"}]),
    ],
)
def test_a_json_answer_is_changed_in_one_place(fault: Fault, body: bytes, expected: Any) -> None:
    without, with_fault = outcomes(fault, body)
    assert with_fault == answered(without, dumped(expected))


@pytest.mark.parametrize(
    ("fault", "body"),
    [
        (rest.rename_response_field("nothing", "x"), OBJECT),
        (rest.drop_response_field("id.name"), OBJECT),
        (rest.set_response_field("id", "a-1"), OBJECT),
        (rest.set_response_field("7.id", "x"), LIST),
        (rest.drop_list_item(3), LIST),
        (rest.duplicate_list_item(-4), LIST),
        (rest.reverse_list(), OBJECT),
        (rest.reverse_list(), b"[]"),
        (rest.drop_response_field("*"), b"no json {"),
        (rest.drop_response_field("*"), b""),
        (rest.drop_response_field("*"), b"[" * 100_000),
        (rest.change_status(500, only=(404, 409)), OBJECT),
        (rest.drop_response_field("id", on=Match("GET")), OBJECT),
        (writes.serve_stale(), OBJECT),
        (rest.set_request_field("a.b", 1), OBJECT),
    ],
)
def test_where_there_is_nothing_to_change_every_byte_stays(fault: Fault, body: bytes) -> None:
    without, with_fault = outcomes(fault, body)
    assert with_fault == without


@pytest.mark.parametrize(
    ("fault", "sent", "expected"),
    [
        (
            rest.rename_request_field("memory_blocks", "blocks"),
            b'{"a":1,"memory_blocks":[],"b":2}',
            {"a": 1, "blocks": [], "b": 2},
        ),
        (
            rest.drop_request_field("blocks.*.value"),
            b'{"blocks":[{"value":1,"l":2},{"l":3}]}',
            {"blocks": [{"l": 2}, {"l": 3}]},
        ),
        (rest.set_request_field("stream", True), b"{}", {"stream": True}),
        (
            rest.change_request_text("blocks.*.value", str.upper),
            b'{"blocks":[{"value":"a"},{"value":1},{"l":"b"}]}',
            {"blocks": [{"value": "A"}, {"value": 1}, {"l": "b"}]},
        ),
    ],
)
def test_a_json_request_is_changed_in_one_place(fault: Fault, sent: bytes, expected: Any) -> None:
    without, with_fault = outcomes(fault, OBJECT, sent)
    assert with_fault == asked(without, dumped(expected))


def test_a_lost_body_is_all_that_is_lost() -> None:
    without, with_fault = outcomes(writes.lose_body(), OBJECT, b'{"a": 1}')
    assert with_fault == asked(without, b"")


@pytest.mark.parametrize("only", [(), 422, (404, 422)])
def test_a_status_is_changed_with_its_phrase(only: int | tuple[int, ...]) -> None:
    without, with_fault = outcomes(rest.change_status(500, only=only), OBJECT, status=422)
    assert with_fault == answered(without, OBJECT, status=500, reason="Internal Server Error")


def test_a_status_can_be_changed_together_with_its_body() -> None:
    without, with_fault = outcomes(rest.change_status(200, only=404, body=b"[]"), OBJECT, status=404)
    assert with_fault == answered(without, b"[]", status=200, reason="OK")


def test_a_body_is_replaced() -> None:
    without, with_fault = outcomes(rest.replace_body(b"<html>"), OBJECT)
    assert with_fault == answered(without, b"<html>")

    changed = outcomes(rest.replace_body(b"<html>", "text/html"), OBJECT)[1].reply
    assert dict(changed.headers)["Content-Type"] == "text/html"


def test_an_answer_without_forwarding_is_all_that_the_client_gets() -> None:
    fault = rest.answer(404, b"{}", (("X", "1"), ("X", "2")))

    outcome = outcomes(fault, OBJECT)[1]

    assert outcome == Outcome(Reply(404, (("X", "1"), ("X", "2"), ("Content-Length", "2")), b"{}", "Not Found"), ())


def test_a_head_answer_stays_as_it_is() -> None:
    calls = ({"method": "HEAD"},)
    given = Reply(200, (JSON,), OBJECT)
    assert through(rest.drop_response_field("id"), given, *calls) == through(NO_FAULT, given, *calls)


def test_a_json_fault_lets_an_event_stream_pass_at_once() -> None:
    stream, fault = Stream(), rest.drop_response_field("*")
    with serving(stream.answer) as server, FaultProxy(server.url, fault) as proxy, Wire(proxy.url) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        stream.send(b'data: {"a": 1}\n\n', b"wait")
        client.until(b'data: {"a": 1}\n\n')


def test_a_json_fault_asks_for_a_body_that_it_can_read() -> None:
    call = {"headers": (("Accept-Encoding", "gzip, br"),)}
    (outcome,) = through(rest.drop_response_field("x"), Reply(), call)
    assert dict(outcome.seen[0].headers)["Accept-Encoding"] == "identity"


class Store:
    """A server that keeps what is written to a path, and counts."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {"/a": b'{"v": 0, "w": 0}'}

    def __call__(self, handler: Handler, seen: Seen) -> None:
        path = seen.target.partition("?")[0]
        if seen.method == "PATCH":
            self.values[path] = seen.body
        value = self.values.get(path)
        always(Reply(404) if value is None else Reply(200, (JSON,), value))(handler, seen)


READ = {"target": "/a"}
WRITE = {"method": "PATCH", "target": "/a", "body": b'{"v": 1}'}


@pytest.mark.parametrize(
    ("reply", "before", "after"),
    [
        ("known", b'{"v": 1}', b'{"v": 0, "w": 0}'),
        ("merged", b'{"v": 1}', b'{"v": 1, "w": 0}'),
        ("echo", b'{"v": 1}', b'{"v": 1}'),
    ],
)
def test_a_swallowed_write_is_answered_200_and_never_arrives(
    reply: writes.Reply, before: bytes, after: bytes
) -> None:
    done = through(writes.swallow_write(reply), Store(), WRITE, READ, WRITE, READ)

    assert [outcome.reply.body for outcome in done] == [before, b'{"v": 0, "w": 0}', after, b'{"v": 0, "w": 0}']
    assert [outcome.reply.status for outcome in done] == [200] * 4
    assert [len(outcome.seen) for outcome in done] == [0, 1, 0, 1]


def test_a_write_to_another_path_is_not_swallowed() -> None:
    done = through(writes.swallow_write(on=Match("PATCH", "^/b$")), Store(), WRITE, READ)
    assert done[1].reply.body == b'{"v": 1}'


def test_a_swallowed_write_that_is_no_object_gets_what_is_known() -> None:
    done = through(writes.swallow_write("merged"), Store(), READ, {**WRITE, "body": b"[]"}, {**WRITE, "body": b"{"})
    assert [outcome.reply.body for outcome in done[1:]] == [b'{"v": 0, "w": 0}'] * 2


def test_a_stale_answer_is_the_first_one_of_the_same_url() -> None:
    other = {"target": "/a?x=1"}

    done = through(writes.serve_stale(), Store(), READ, WRITE, READ, other, {"target": "/b"}, {"target": "/b"})

    assert done[2].reply == done[0].reply
    assert [len(outcome.seen) for outcome in done] == [1, 1, 0, 1, 1, 1]
    assert done[3].reply.body == b'{"v": 1}'
    assert done[5].reply.status == 404


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", [{"a": [1, {"b": 2}], "*": 3}]),
        ("a.1.b", [2]),
        ("a.*", [1, {"b": 2}]),
        ("*.0", [1]),
        ("a.-1", []),
        ("x", []),
    ],
)
def test_a_path_leads_to_values(path: str, found: list[Any]) -> None:
    assert json_edit.find({"a": [1, {"b": 2}], "*": 3}, path) == found
