"""Which location takes a path is what a real nginx answers."""

from __future__ import annotations

import itertools
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_letta.compose.nginx_file import parse
from pytest_letta.compose.nginx_routes import route_of
from pytest_letta.stack import wheels
from pytest_letta.stack.ports import free_ports

SERVER = """
    location = /exact { ANSWER exact; }
    location /v1/ { ANSWER prefix; }
    location /v1/runs { ANSWER runs; location /v1/runs/in { ANSWER inner; } location ~ in/x$ { ANSWER inner-x; } }
    location ^~ /static/ { ANSWER fixed; location ~ /stream$ { ANSWER fixed-stream; } }
    location ~ /stream$ { ANSWER stream; }
    location ~ ^/v1/agents/[^/]+/messages { ANSWER messages; }
    location ~* \\.PNG$ { ANSWER picture; }
    location / { ANSWER root; }
"""
WORDS = ("exact", "v1", "runs", "in", "x", "static", "stream", "agents", "messages", "a.png", "")
PATHS = ["/" + "/".join(words) for count in (1, 2, 3) for words in itertools.product(WORDS, repeat=count)]


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[str]:
    """The URL of an nginx with that server, which answers with the name of the location."""
    (port,) = free_ports(1)
    conf = tmp_path / "nginx.conf"
    conf.write_text(
        f"daemon off; {'user root;' if os.geteuid() == 0 else ''} pid {tmp_path}/pid; events {{ }}\n"
        f"http {{ access_log off; merge_slashes off; server {{ listen 127.0.0.1:{port};"
        f"{SERVER.replace('ANSWER', 'return 200')} }} }}"
    )
    command = [str(wheels.nginx()), "-p", str(tmp_path), "-c", str(conf), "-e", "stderr"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def answer(url: str) -> str:
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return str(response.read().decode())
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_the_location_is_the_one_that_nginx_takes(nginx: str) -> None:
    (server,) = parse(
        f"server {{{SERVER.replace('ANSWER ', 'proxy_pass http://')}}}", Path("nginx.conf"), lambda _: ()
    )

    taken = {path: route.passing.args[0] for path in PATHS if (route := route_of(server, server, path))}

    assert taken == {path: f"http://{answer(nginx + path)}" for path in PATHS}
