"""A bad target or setting ends the run with exit code 4 and one line."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pytest_letta.compose.reading import has_compose
from pytest_letta.stack.stack import Stack


class Answering(BaseHTTPRequestHandler):
    """Answers as the path's first part says; the rest of the path is what a client asks for."""

    def do_GET(self) -> None:
        kind = self.path.split("/")[1]
        if kind == "elsewhere":
            self.send_response(302)
            self.send_header("Location", "http://other.example/")
            self.end_headers()
            return
        body = {"html": b"<!doctype html><title>Shop</title>", "json": b'{"detail":"Not Found"}'}[kind]
        self.send_response(404 if kind == "json" else 200)
        self.send_header("Content-Type", "text/html" if kind == "html" else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def other_server() -> Iterator[str]:
    """The URL of a server that is not Letta."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def run(pytester: pytest.Pytester, *args: object) -> str:
    """Run with contracts, expect exit code 4, and return the one line that says why."""
    result = pytester.runpytest_inprocess("-p", "no:schemathesis", "--letta-contracts", *args)
    assert result.ret == 4
    errors = [line for line in result.errlines if line.startswith("ERROR: ")]
    assert len(errors) == 1
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    return str(errors[0])


@pytest.mark.parametrize("kind", ["html", "json", "elsewhere"])
def test_a_server_that_is_not_letta(pytester: pytest.Pytester, other_server: str, kind: str) -> None:
    line = run(pytester, f"--letta-url={other_server}/{kind}")

    assert f"{other_server}/{kind}" in line


def test_nobody_listens(pytester: pytest.Pytester) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        line = run(pytester, f"--letta-url={url}")

    assert url in line


def test_a_server_that_never_answers(pytester: pytest.Pytester) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        line = run(pytester, f"--letta-url={url}", "--letta-timeout=1")

    assert url in line


def test_tls_where_there_is_none(pytester: pytest.Pytester, other_server: str) -> None:
    line = run(pytester, f"--letta-url={other_server.replace('http:', 'https:')}")

    assert "https://" in line


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--letta-url=http://127.0.0.1:1", "--letta-suite=rset"], "did you mean 'rest'?"),
        (["--letta-url=http://127.0.0.1:1", "--letta-level=musst"], "did you mean 'must'?"),
        (["--letta-url=http://127.0.0.1:1", "--letta-stack=local"], "exclude each other"),
        ([], "there is no deployment to test"),
        (["--letta-stack=local", "--letta-version=0.34.12"], "another product"),
        (["--letta-stack=local", "--letta-version=0.16.88"], "0.16.8"),
        (["--letta-url=http://127.0.0.1:1", "--letta-report=/no/such/folder/r.json"], "there is no folder"),
    ],
)
def test_a_bad_setting(pytester: pytest.Pytester, args: list[str], told: str) -> None:
    assert told in run(pytester, *args)


@pytest.mark.skipif(not has_compose(), reason="the plugin `docker compose` is not installed")
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("services:\n  letta:\n    image: [\n", ":3: compose refuses the file"),
        ("services:\n  shop: {image: 'shop:1'}\n", "no service of"),
        ("services: {a: {image: 'letta/letta:1'}, b: {image: 'letta/letta:1'}}\n", "can all be letta"),
        (
            "services:\n  letta:\n    image: letta/letta:1\n    network_mode: host\n",
            "compose.yml:4: network_mode of letta",
        ),
        ("services: {letta: {image: 'letta/letta:1', environment: {SECURE: 'true'}}}\n", "or give --letta-token"),
    ],
)
def test_a_bad_compose_file(pytester: pytest.Pytester, text: str, told: str) -> None:
    file = pytester.path / "compose.yml"
    file.write_text(text)

    assert told in run(pytester, f"--letta-compose={file}")


def test_a_path_prefix_is_legitimate(pytester: pytest.Pytester, live_stack: Stack) -> None:
    """The prefix is kept: `/nowhere` before every path leads to Letta's own 404, which is said."""
    line = run(pytester, f"--letta-url={live_stack.url}/nowhere")

    assert "/nowhere" in line


def test_nothing_is_asked_of_the_network_to_collect(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess(
        "-p", "no:schemathesis", "--letta-url=http://127.0.0.1:1", "--letta-contracts", "--collect-only", "-q"
    )

    assert result.ret == 0
