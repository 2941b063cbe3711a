"""Reaching: the ports inside of containers, and the password that a file gives its server."""

from __future__ import annotations

from pathlib import Path

import pytest
from composed import composed

from pytest_letta.compose.reaching import inner_ports
from pytest_letta.compose.server import password_of
from pytest_letta.errors import ComposeFileError

ROLES = {"letta": "letta", "postgres": "db", "nginx": "web"}


@pytest.mark.parametrize(
    ("letta", "port"),
    [
        ("", 8283),
        ("environment: {PORT: '9000'}", 9000),
        ("command: [letta, server, --port, '9001']", 9001),
        ("environment: {PORT: '9000'}, command: [letta, server]", 8283),
    ],
)
def test_the_port_of_the_server_is_the_one_that_it_is_told(letta, port) -> None:
    file = composed(f"services: {{letta: {{image: x, {letta}}}}}")

    assert inner_ports(file, file.roles) == {"letta": port}


@pytest.mark.parametrize(
    ("db", "port"),
    [
        ("", 5432),
        ("environment: {PGPORT: '5433'}", 5433),
        ("command: [postgres, -p, '5434']", 5434),
        ("command: [postgres, -c, 'port=5435', -c, 'max_connections=99']", 5435),
    ],
)
def test_the_port_of_the_database_is_the_one_that_it_is_told(db, port) -> None:
    file = composed(f"services: {{letta: {{image: x}}, db: {{image: y, {db}}}}}", letta="letta", postgres="db")

    assert inner_ports(file, file.roles)["postgres"] == port


@pytest.mark.parametrize(
    ("conf", "published", "port"),
    [
        ("server { listen 8443 ssl; } server { listen 8284; }", "8443, 8284", 8284),
        ("server { listen 80; } server { listen 8080; }", "8080", 8080),
        ("server { listen 8283; }", "", 8283),
        ("server { listen 443 ssl; }", "443", None),
        (None, "443, 8284", 8284),
        (None, "", 80),
    ],
)
def test_the_port_of_the_proxy_is_one_without_tls(tmp_path: Path, conf, published, port) -> None:
    if conf is not None:
        (tmp_path / "default.conf").write_text(conf)
    ports = ", ".join(f"{{target: {one}, published: '{one}'}}" for one in published.split(", ") if one)
    file = composed(
        f"""
        services:
          letta: {{image: x}}
          web:
            image: nginx:1
            ports: [{ports}]
            volumes: [{{type: bind, source: {tmp_path}, target: /etc/nginx/conf.d}}]
        """,
        letta="letta",
        nginx="web",
    )

    assert inner_ports(file, file.roles).get("nginx") == port


def test_a_server_that_is_open_has_no_password() -> None:
    text = "services: {letta: {image: x, environment: {LETTA_SERVER_PASSWORD: hidden}}}"

    assert password_of(composed(text)) is None


def test_the_password_of_a_secured_server_is_the_one_in_the_file() -> None:
    text = "services: {letta: {image: x, environment: {LETTA_SERVER_PASSWORD: a$$b, SECURE: 'true'}}}"

    assert password_of(composed(text)) == "a$b"


def test_a_password_that_the_server_makes_up_is_refused() -> None:
    with pytest.raises(ComposeFileError, match=r"compose.yml:1: letta asks for a password, and is given no"):
        password_of(composed("services: {letta: {image: x, environment: {SECURE: 'true'}}}"))
