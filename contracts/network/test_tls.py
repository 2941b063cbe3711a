"""TLS: the certificate is one to rely on, nothing goes in clear, and redirects and streams stay as they are."""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, could_not_run, must
from pytest_letta.conformance.checks import equal, event_stream
from pytest_letta.streaming import text_of

from ..streaming.events import answers_in
from ..streaming.pace import Speech, widest_s
from .handshakes import certificate_problem, clear_problem, plain_urls, takes
from .redirects import creation_problem, redirect_problem

if TYPE_CHECKING:
    import httpx

    from pytest_letta.agent import Agent
    from pytest_letta.handles import Handles
    from pytest_letta.llm import ModelControl
    from pytest_letta.ownership import Ledger
    from pytest_letta.settings import Settings
    from pytest_letta.streaming import StreamOpener
    from pytest_letta.tls import TlsAddress

_SPEECH = Speech(7, 0.15)
_ENOUGH_S = 0.5 * _SPEECH.spoken_s
_DOWNGRADED = "behind TLS the Location must be https, or the password follows in clear: letta-ai/letta#3189"


@contract(
    "NET-TLS-001", needs=["tls"], because="who is told to ignore certificate errors cannot see an attack any more"
)
def test_certificate_holds(letta_tls: TlsAddress, letta_settings: Settings) -> None:
    """The certificate is accepted by the usual rules: a chain to a trusted authority, this host, this day."""
    must(certificate_problem(letta_tls, letta_settings.timeout))


@contract("NET-TLS-002", needs=["tls"], because="TLS 1.0 and 1.1 must not be used any more (RFC 8996)")
@pytest.mark.parametrize("version", [pytest.param("TLSv1", id="1.0"), pytest.param("TLSv1_1", id="1.1")])
def test_old_tls_is_refused(version: str, letta_tls: TlsAddress, letta_settings: Settings) -> None:
    """A client that knows TLS 1.0 or 1.1 only is refused."""
    if not getattr(ssl, f"HAS_{version}"):
        could_not_run(f"the OpenSSL of this Python has no {version}: use another Python")

    taken = takes(letta_tls, ssl.TLSVersion[version], letta_settings.timeout)

    must(f"{letta_tls.url} takes {version} (nginx: ssl_protocols TLSv1.2 TLSv1.3)" if taken else None)


@contract(
    "NET-TLS-003", needs=["tls"], because="a client that writes http sends its password in clear, and nobody notices"
)
def test_nothing_is_served_in_clear(letta_tls: TlsAddress, letta_client: httpx.Client) -> None:
    """Plain HTTP to the same host is refused or led to https, at that host; it never gets an answer of the API."""
    for url in plain_urls(letta_tls):
        for path in ("/v1/health/", "/v1/agents/?limit=1"):
            with suppress(_no_answer()):
                must(clear_problem(letta_client.get(url + path, headers={"Authorization": ""}), letta_tls))


def _no_answer() -> type[Exception]:
    import httpx

    return httpx.TransportError


@contract("NET-TLS-004", needs=["tls", "agents"], because=_DOWNGRADED)
def test_redirects_stay_on_https(letta_tls_client: httpx.Client) -> None:
    """A missing slash is added by a redirect to https, at the same host and port, with the same query."""
    must(redirect_problem(letta_tls_client))


@contract("NET-TLS-005", needs=["tls", "agents"], because=_DOWNGRADED)
def test_redirects_keep_method_body_and_password(
    letta_tls_client: httpx.Client, letta_handles: Handles, letta_ledger: Ledger
) -> None:
    """By TLS a POST without the slash, followed, does what the POST with the slash does."""
    must(creation_problem(letta_tls_client, letta_handles, letta_ledger))


@contract(
    "NET-TLS-006", needs=["tls", "streaming", "llm"], because="the hop that ends TLS is the one that buffers streams"
)
def test_tokens_arrive_as_they_are_spoken(
    letta_agent: Agent, letta_llm: ModelControl, letta_tls_stream: StreamOpener
) -> None:
    """By TLS tokens arrive one by one, at the pace at which the model speaks them."""
    widest = widest_s(letta_agent, letta_llm, letta_tls_stream, _SPEECH, _ENOUGH_S)

    late = f"tokens spoken over {_SPEECH.spoken_s:.1f} s arrived within {widest:.2f} s: the stream is held back"
    cure = "nginx: proxy_buffering off, gzip off, in the server block with TLS too"
    must(f"{late} ({cure})" if widest < _ENOUGH_S else None)


@contract(
    "NET-TLS-007", needs=["tls", "streaming"], because="what reads well on the screen may not be what is stored"
)
def test_stream_is_whole(letta_agent: Agent, letta_tls_stream: StreamOpener) -> None:
    """By TLS a stream is an event stream, and holds the answer that is stored, to its [DONE]."""
    with letta_tls_stream(letta_agent, "Hello.", tokens=True) as stream:
        events = stream.read_all()

    must(event_stream(stream.response, "content type by TLS"))
    must(equal(answers_in(letta_agent.messages()), [text_of(events)], "answers stored against the stream by TLS"))
    must(None if events and events[-1].is_done else "the stream by TLS ended without [DONE]")
