"""Real nginx before a server, with whatever configuration a test gives it."""

from __future__ import annotations

import os
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from pytest_letta.stack import wheels
from pytest_letta.stack.ports import HOST, free_ports

_LIMIT_S = 10.0
_MAIN = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_cache_path {folder}/cache keys_zone=letta:1m;
{server}
}}
"""


@contextmanager
def nginx_before(url: str, server: str, folder: Path) -> Iterator[str]:
    """Run nginx with a block ``server`` before the server at `url`; give the URL of nginx.

    In the block, the port of ``listen`` and the address of Letta, 127.0.0.1:8283, are replaced, nothing else.
    """
    address = f"{HOST}:{free_ports(1)[0]}"
    server = re.sub(r"listen [\d.:]+;", f"listen {address};", server)
    server = server.replace("127.0.0.1:8283", urlsplit(url).netloc)
    conf = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    conf.write_text(_MAIN.format(folder=folder, user=user, server=server))
    command = [str(wheels.nginx()), "-p", str(folder), "-c", str(conf), "-e", str(folder / "error.log")]
    with subprocess.Popen(command) as process:
        try:
            _wait(f"http://{address}/v1/health/", process, folder)
            yield f"http://{address}"
        finally:
            process.terminate()


def _wait(url: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while True:
        with suppress(OSError):
            urllib.request.urlopen(url, timeout=_LIMIT_S).close()
            return
        time.sleep(0.05)
        has_time = time.monotonic() < deadline
        assert has_time, (folder / "error.log").read_text()
        assert process.poll() is None, (folder / "error.log").read_text()
