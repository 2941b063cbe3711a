"""The configuration of the proxy."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pytest_letta.stack import wheels
from pytest_letta.stack.certificate import make_certificate
from pytest_letta.stack.nginx import render, render_tls
from pytest_letta.stack.service import Address

_LISTEN = Address("127.0.0.1", 18284)
_LETTA = Address("127.0.0.1", 18283)
_FILES = ("pid ", "access_log ", "client_body_temp_path ", "proxy_temp_path ")


def statements(folder: Path, *, as_root: bool = False) -> list[str]:
    lines = render(folder, _LISTEN, _LETTA, as_root=as_root).splitlines()
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


@pytest.mark.parametrize(
    "statement",
    [
        "listen 127.0.0.1:18284;",
        "set $letta 127.0.0.1:18283;",
        "proxy_pass http://$letta;",
        "proxy_buffering off;",
        "proxy_http_version 1.1;",
        'proxy_set_header Connection "";',
        "proxy_set_header Host $http_host;",
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        "proxy_set_header X-Forwarded-Proto $scheme;",
        "proxy_read_timeout 3600s;",
        "underscores_in_headers on;",
        "gzip off;",
        "client_max_body_size 64m;",
        "daemon off;",
    ],
)
def test_the_proxy_says(tmp_path: Path, statement: str) -> None:
    assert statement in statements(tmp_path)


def test_only_root_stays_root(tmp_path: Path) -> None:
    assert "user root;" in statements(tmp_path, as_root=True)
    assert not [line for line in statements(tmp_path) if line.startswith("user ")]


def test_every_file_is_in_the_folder_of_the_service(tmp_path: Path) -> None:
    named = [line for line in statements(tmp_path) if line.startswith(_FILES) and line != "access_log off;"]
    files = [line.split()[1].rstrip(";") for line in named]

    assert len(files) == len(_FILES)
    assert all(Path(file).is_relative_to(tmp_path) for file in files)


@pytest.mark.parametrize("has_tls", [False, True], ids=["in-clear", "with-tls"])
def test_nginx_accepts_it(tmp_path: Path, has_tls: bool) -> None:
    make_certificate(["127.0.0.1"]).write(tmp_path)
    conf = tmp_path / "nginx.conf"
    tls = render_tls("127.0.0.1:18443", tmp_path) if has_tls else ""
    conf.write_text(render(tmp_path, _LISTEN, _LETTA, tls, as_root=False))

    done = subprocess.run(
        [wheels.nginx(), "-t", "-p", tmp_path, "-c", conf, "-e", "stderr"], capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
