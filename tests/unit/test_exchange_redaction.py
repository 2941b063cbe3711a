"""No secret survives in what is shown, in whatever form it travels."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_letta.exchange import PLACEHOLDER, REDACTED, Exchange, Redactor

TOKEN = 'p@ss "word"/+é&<x>'
SECRETS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=6, max_size=30)
AROUND = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


@pytest.mark.parametrize(
    "form",
    [
        TOKEN,
        quote(TOKEN),
        quote(TOKEN, safe=""),
        quote(TOKEN, safe="").lower().replace("p%40ss", "p%40ss"),
        quote_plus(TOKEN),
        json.dumps(TOKEN)[1:-1],
        json.dumps(TOKEN, ensure_ascii=False)[1:-1],
        "p@ss &quot;word&quot;/+é&amp;&lt;x&gt;",
    ],
)
def test_secret_in_each_form_becomes_the_placeholder(form: str) -> None:
    assert Redactor([TOKEN]).redact(f"a {form} b") == f"a {PLACEHOLDER} b"


def test_secret_in_base64_is_hidden() -> None:
    assert Redactor([TOKEN]).redact(base64.b64encode(TOKEN.encode()).decode() + " b") == f"{REDACTED} b"
    assert Redactor(["letta"]).redact("a bGV0dGE= b") == f"a {REDACTED} b"


@given(secret=SECRETS, before=AROUND, after=AROUND, url_safe=st.booleans())
def test_secret_inside_a_longer_base64_text_is_hidden(secret: str, before: str, after: str, url_safe: bool) -> None:
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    coded = encode((before + secret + after).encode()).decode()

    shown = Redactor([secret]).redact(coded)

    assert REDACTED in shown
    assert secret.encode() not in b"".join(_decodings(shown))


def _decodings(shown: str) -> list[bytes]:
    found = []
    for part in shown.split(REDACTED):
        raw = part.replace("-", "+").replace("_", "/").rstrip("=")
        found += [base64.b64decode(raw[skip:] + "A" * (-len(raw[skip:]) % 4)) for skip in range(min(4, len(raw)))]
    return found


@given(secret=SECRETS, before=AROUND, after=AROUND)
def test_secret_anywhere_in_a_text_or_bytes_is_hidden(secret: str, before: str, after: str) -> None:
    redactor = Redactor([secret])
    text = before + secret + after

    assert secret not in redactor.redact(text).replace(PLACEHOLDER, "\0")
    assert secret.encode() not in redactor.data(b"\xff" + text.encode()).replace(PLACEHOLDER.encode(), b"\0")


def test_longest_of_several_secrets_is_replaced_first() -> None:
    assert Redactor(["abc", "abcdef"]).redact("abcdef abc") == f"{PLACEHOLDER} {PLACEHOLDER}"


def test_without_secrets_nothing_changes() -> None:
    raw = b"\xff\x00 text"

    assert Redactor().redact("text") == "text"
    assert Redactor(["", "x9"]).data(raw) == raw
    assert Redactor([""]).secrets == frozenset()


def test_beginning_of_a_secret_at_the_end_of_cut_bytes_is_dropped() -> None:
    redactor = Redactor(["s3cret-of-the-deployment"])

    assert redactor.data(b"body s3cret-of-t", is_cut=True) == b"body "
    assert redactor.data(b"body s3cret-of-t") == b"body s3cret-of-t"


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        (("Authorization", "Bearer s3cret"), "Bearer $LETTA_API_KEY"),
        (("authorization", "Bearer of-somebody-else"), "Bearer [redacted]"),
        (("Authorization", "Bearer pytest-letta-wrong"), "Bearer pytest-letta-wrong"),
        (("Authorization", "alone"), "[redacted]"),
        (("Authorization", ""), ""),
        (("X-BARE-PASSWORD", "password s3cret"), "password $LETTA_API_KEY"),
        (("X-Bare-Password", "password other"), "password [redacted]"),
        (("X-API-Key", "k"), "[redacted]"),
        (("Cookie", "session=1"), "[redacted]"),
        (("Set-Cookie", "session=s3cret"), "[redacted]"),
        (("X-Echo", "is s3cret"), "is $LETTA_API_KEY"),
    ],
)
def test_headers_with_credentials_are_masked_even_if_these_are_unknown(header: tuple[str, str], shown: str) -> None:
    assert Redactor(["s3cret"]).headers([header]) == ((header[0], shown),)


def test_url_loses_its_user_info_and_secrets() -> None:
    url = "http://me:pw@letta.test:1/v1?email=a@b.test&key=s3cret"

    assert Redactor(["s3cret"]).url(url) == "http://letta.test:1/v1?email=a@b.test&key=$LETTA_API_KEY"


def test_json_fields_that_are_named_as_secrets_are_hidden() -> None:
    body = '{"api_key": "sk-\\"1", "name": "api_key", "password":"", "token": "pytest-letta-wrong", "tokens": "2"}'
    shown = (
        '{"api_key": "[redacted]", "name": "api_key", "password":"", "token": "pytest-letta-wrong", "tokens": "2"}'
    )

    assert Redactor().redact(body) == shown


def test_redacted_exchange_keeps_what_was_cut_and_what_was_whole() -> None:
    whole = Exchange("POST", "http://l.test", request_body=b"s3cret", body=b"s3cret")
    cut = Exchange("POST", "http://l.test", request_body=b"s3cret", request_size=9, body=b"x", body_size=9)
    redactor = Redactor(["s3cret"])

    shown = redactor_sizes(whole.redacted(redactor))
    assert shown == (len(PLACEHOLDER), len(PLACEHOLDER))
    after = cut.redacted(redactor)
    assert after.request_size > len(after.request_body)
    assert after.body_size > len(after.body)


def redactor_sizes(exchange: Exchange) -> tuple[int, int]:
    assert exchange.request_body == exchange.body == PLACEHOLDER.encode()
    return exchange.request_size, exchange.body_size


def test_repr_shows_neither_bodies_nor_headers() -> None:
    exchange = Exchange("GET", "http://l.test/a", (("x", "1"),), b"sent", 200, (("y", "2"),), b"got", 0.25, number=3)

    assert repr(exchange) == "<Exchange 3: GET http://l.test/a -> 200 in 0.250 s>"
