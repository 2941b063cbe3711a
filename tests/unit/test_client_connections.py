"""Connections are kept while they can be trusted, and certificates are verified."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import trustme
from local_server import Call, serving

from pytest_letta.client import open_client


def drop_after(call: Call) -> None:
    """Answer as Letta does an unhandled error: drop the connection afterwards without having said so."""
    call.answer(500 if call.path == "/error" else 200, {"detail": "An unknown error occurred"})
    if call.path == "/error":
        call.server.closing.wait(0.02)
        call.close_connection = True


def test_connection_is_used_again_after_a_good_answer() -> None:
    with serving(drop_after) as server, open_client(server.url) as client:
        for _ in range(3):
            client.get("/fine")

    assert len({asked.port for asked in server.asked}) == 1


def test_connection_is_not_used_again_after_a_server_error() -> None:
    with serving(drop_after) as server, open_client(server.url) as client:
        for _ in range(10):
            client.get("/error")
            client.get("/fine")

    ports = [asked.port for asked in server.asked]
    assert server.paths == ["/error", "/fine"] * 10
    assert all(error != fine for error, fine in zip(ports[::2], ports[1::2], strict=True))


def test_streamed_server_error_spends_its_connection_too() -> None:
    with serving(drop_after) as server, open_client(server.url) as client:
        with client.stream("GET", "/error") as response:
            response.read()
        client.get("/fine")

    assert len({asked.port for asked in server.asked}) == 2


@pytest.fixture
def authority(tmp_path: Path) -> tuple[str, ssl.SSLContext]:
    """A private CA file, and the context of a server with a certificate of that CA."""
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem"), context


def fine(call: Call) -> None:
    call.answer(200, {"a": "b" * 200_000})


def test_unknown_certificate_is_refused(authority: tuple[str, ssl.SSLContext]) -> None:
    with (
        serving(fine, tls=authority[1]) as server,
        open_client(server.url, "token") as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.get("/")

    assert server.asked == []


def test_certificate_of_the_given_bundle_is_accepted(authority: tuple[str, ssl.SSLContext]) -> None:
    with serving(fine, tls=authority[1]) as server, open_client(server.url, ca_file=authority[0]) as client:
        answers = [client.get("/").status_code, client.post("/", content=b"x" * 300_000).status_code]

    assert answers == [200, 200]
    assert len({asked.port for asked in server.asked}) == 1


@pytest.mark.parametrize("respond", [Call.hang, lambda call: call.drip(b"HTTP/1.1 200 OK\r\nx: ")])
def test_deadline_holds_over_tls(authority: tuple[str, ssl.SSLContext], respond: Callable[[Call], None]) -> None:
    with (
        serving(respond, tls=authority[1]) as server,
        open_client(server.url, timeout_s=0.5, ca_file=authority[0]) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.get("/")
