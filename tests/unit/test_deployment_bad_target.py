"""Every URL that is no Letta server ends in one line that says what is wrong, where from, and what to do."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable

import pytest
import trustme
from local_server import Call, serving

from pytest_letta.deployment import probe
from pytest_letta.errors import TargetError

Respond = Callable[[Call], None]
TOKEN = "s3cret-of-the-deployment"


def refusal(url: str, *, timeout_s: float = 5, proxy_url: str | None = None, url_in_text: str | None = None) -> str:
    with pytest.raises(TargetError) as raised:
        probe(url, proxy_url, TOKEN, timeout_s)
    text = str(raised.value)
    assert "\n" not in text
    assert TOKEN not in text
    start = f"{url_in_text or url} (from --letta-{'proxy-' if proxy_url else ''}url) cannot be tested: "
    assert text.startswith(start)
    return text.removeprefix(start)


def refused(respond: Respond, path: str = "", timeout_s: float = 5) -> str:
    with serving(respond) as server:
        return refusal(server.url + path, timeout_s=timeout_s)


def html(status: int, page: str) -> Respond:
    return lambda call: call.answer(status, page, content_type="text/html")


WELCOME = "<!DOCTYPE html>\n<html><head><title>Welcome to\n nginx!</title></head></html>"


def test_refused_connection() -> None:
    with serving(Call.hang) as server:
        pass

    assert refusal(server.url) == "the connection is refused; start the server, or correct host and port."


def test_unknown_host() -> None:
    text = refusal("http://no-such-host.invalid:8283")

    assert re.match(r"there is no host named 'no-such-host\.invalid' \(.*\); correct the URL", text)


def drip(call: Call) -> None:
    call.start_stream()
    call.drip(b"{")


@pytest.mark.parametrize("respond", [Call.hang, drip])
def test_hanging_and_dripping_server(respond: Respond) -> None:
    assert refused(respond, timeout_s=0.3) == (
        "it accepts connections but GET /v1/health/ is not answered within 0.3 s; look at the log of the server, or "
        "give more time with --letta-timeout."
    )


@pytest.mark.parametrize("status", [200, 404])
def test_html_page(status: int) -> None:
    assert refused(html(status, WELCOME)) == (
        f"GET /v1/health/ answers {status} with an HTML page, 'Welcome to nginx!': no Letta server; give the base "
        "URL of the Letta API, with the path prefix if it has one and without /v1."
    )


def test_json_404() -> None:
    assert 'answers 404 with \'{"detail": "Not Found"}\': no Letta server; give the base URL' in refused(
        lambda call: call.answer(404, {"detail": "Not Found"})
    )


def test_url_that_ends_in_v1() -> None:
    text = refused(lambda call: call.answer(404, {"detail": "Not Found"}), "/v1")

    assert text.endswith("no Letta server; leave out /v1 at the end of the URL.")


@pytest.mark.parametrize("body", [{"hello": "world"}, [], "pong", b"", b"\xff\x00", {"status": "UP"}])
def test_some_other_server(body: object) -> None:
    assert "answers 200 with " in refused(lambda call: call.answer(200, body))


def test_health_route_alone_is_no_letta_server() -> None:
    def respond(call: Call) -> None:
        if call.path == "/v1/health/":
            call.answer(200, {"version": "2.1", "status": "ok"})
        else:
            call.answer(404, {"detail": "Not Found"})

    assert "health route like Letta's, but GET /v1/agents/?limit=1 answers 404" in refused(respond)


def test_page_for_every_path_is_no_letta_server() -> None:
    def respond(call: Call) -> None:
        if call.path == "/v1/health/":
            call.answer(200, {"version": "2.1", "status": "ok"})
        else:
            html(200, WELCOME)(call)

    assert "but GET /v1/agents/?limit=1 answers 200: no Letta server" in refused(respond)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_proxy_without_its_server(status: int) -> None:
    text = refused(html(status, "<html><title>Bad Gateway</title></html>"))

    assert (
        f"answers {status} ('Bad Gateway'): something answers there, but the Letta server behind it does not" in text
    )


@pytest.mark.parametrize("status", [401, 403])
def test_gateway_with_credentials_of_its_own(status: int) -> None:
    assert "something in front of it asks for credentials of its own" in refused(lambda call: call.answer(status))


def test_wrong_path_of_a_secured_server() -> None:
    text = refused(lambda call: call.answer(401, {"detail": "Unauthorized"}), "/v1")

    assert text == (
        "GET /v1/health/ answers 401, as Letta does for a path that it does not know; "
        "leave out /v1 at the end of the URL."
    )


def test_redirect_to_another_server_is_not_followed() -> None:
    with serving(lambda call: call.answer(200, {"version": "0.16.8", "status": "ok"})) as other:
        text = refused(lambda call: call.answer(307, location=f"{other.url}/letta{call.path}"))

    assert f"redirects GET /v1/health/ to another server, {other.url}/letta/v1/health/, where a password" in text
    assert text.endswith(f"give the URL that it redirects to, {other.url}/letta.")
    assert other.asked == []


def test_redirect_of_the_data_route_to_another_server() -> None:
    def respond(call: Call) -> None:
        if call.path == "/v1/health/":
            call.answer(200, {"version": "0.16.8", "status": "ok"})
        else:
            call.answer(307, location=f"http://127.0.0.1{call.path}")

    assert "redirects GET /v1/agents/?limit=1 to another server, http://127.0.0.1/v1/agents/?limit=1" in refused(
        respond
    )


def test_redirect_to_a_login_page() -> None:
    text = refused(lambda call: call.answer(302, location=f"/login?key={TOKEN}"))

    assert re.match(r"it redirects GET /v1/health/ to http://127.*/login\?key=\$LETTA_API_KEY; give the URL", text)


@pytest.mark.parametrize("location", ["http://[bad/", "//", "mailto:a@b.test"])
def test_redirect_to_nowhere(location: str) -> None:
    assert refused(lambda call: call.answer(302, location=location))


def test_answer_that_echoes_the_password_does_not_leak_it() -> None:
    text = refused(lambda call: call.answer(404, {"you": call.headers["authorization"]}))

    assert "Bearer $LETTA_API_KEY" in text


@pytest.mark.parametrize("raw", [b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"HTTP/1.1 banana\r\n\r\n"])
def test_server_that_does_not_speak_http(raw: bytes) -> None:
    def respond(call: Call) -> None:
        call.close_connection = True
        call.wfile.write(raw)

    assert re.match(r"GET /v1/health/ gets no HTTP answer \(.*\); if it speaks TLS, write https://", refused(respond))


def test_bytes_that_are_not_what_their_header_says() -> None:
    text = refused(lambda call: call.answer(200, b"no gzip", content_encoding="gzip"))

    assert text.startswith("it answers GET /v1/health/ with bytes that cannot be read (")


@pytest.fixture
def tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_certificate_that_is_not_trusted(tls: ssl.SSLContext) -> None:
    with serving(Call.hang, tls=tls) as server:
        text = refusal(server.url)

    assert re.match(r"its TLS certificate is not trusted \(.+\); .*SSL_CERT_FILE to a PEM bundle", text)


def test_http_url_of_a_tls_server(tls: ssl.SSLContext) -> None:
    with serving(Call.hang, tls=tls) as server:
        text = refusal(server.url.replace("https", "http"))

    assert "if it speaks TLS, write https:// in the URL" in text


def test_https_url_of_a_plain_server() -> None:
    with serving(Call.hang) as server:
        text = refusal(server.url.replace("http", "https"))

    assert re.match(r"TLS fails \(.+\); if the server speaks plain HTTP, write http:// in the URL", text)


def test_bad_proxy_is_told_apart_from_a_bad_server() -> None:
    def respond(call: Call) -> None:
        if call.path == "/v1/health/":
            call.answer(200, {"version": "0.16.8", "status": "ok"})
        else:
            call.answer(200, [])

    with serving(respond) as server, serving(html(200, WELCOME)) as proxy:
        text = refusal(server.url, proxy_url=proxy.url, url_in_text=proxy.url)

    assert "'Welcome to nginx!': no Letta server" in text
