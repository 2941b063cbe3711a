"""Checks of the proxy of a compose file: what is unusual and right is no finding."""

from __future__ import annotations

from pathlib import Path

import pytest
from composed import composed

from pytest_letta.compose.checks import proxy
from pytest_letta.compose.file import ComposeFile

CONF = """
http {{
    resolver 127.0.0.11;
    underscores_in_headers on;
    client_max_body_size 0;
    {http}
    server {{
        listen {listen};
        {server}
        location / {{
            {location}
        }}
    }}
}}
"""
PASS = "set $l letta:8283; proxy_pass http://$l; proxy_set_header Host $http_host; proxy_buffering off;"


def proxied(folder: Path, *, ports: str = "8284:8284", more: str = "", **parts: str) -> ComposeFile:
    conf = folder / "nginx.conf"
    conf.write_text(CONF.format(**{"http": "", "server": "", "location": PASS, "listen": "8284", **parts}))
    published, target = ports.split(":")
    text = f"""
        services:
          letta: {{image: "letta/letta:1"}}
          web:
            image: nginx:1
            ports: [{{target: {target}, published: "{published}"}}]
            volumes: [{{type: bind, source: {conf}, target: /etc/nginx/nginx.conf}}]
            {more}
    """
    return composed(text, letta="letta", nginx="web")


CHECKS = (
    proxy.streams_are_not_held_back,
    proxy.silence_is_borne,
    proxy.redirects_lead_back,
    proxy.letta_is_found_again,
    proxy.upstream_exists,
    proxy.users_are_told_apart,
    proxy.documents_pass,
)
NO_HOST = "set $l letta:8283; proxy_pass http://$l; proxy_buffering off;"


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"location": PASS.replace("$http_host", "$host"), "ports": "80:8284"},
        {"location": PASS.replace("$http_host", "$host:$server_port")},
        {"location": PASS.replace("$http_host", "$host") + "proxy_redirect ~^http://[^/]+(.*)$ http://$http_host$1;"},
        {"location": PASS + "proxy_redirect http:// https://;", "listen": "8284 ssl"},
        {"location": NO_HOST.replace("$l;", "$l; proxy_set_header Host $http_host;"), "server": "gzip on;"},
        {
            "location": "proxy_pass http://letta:8283; proxy_set_header Host $http_host; proxy_buffering off;",
            "more": "depends_on: {letta: {condition: service_healthy, restart: true}}",
        },
        {
            "http": "upstream group { zone z 64k; server letta:8283 resolve; }",
            "location": "proxy_pass http://group; proxy_buffering off;",
        },
        {
            "server": f"location ~ ^/v1/.*(messages|stream) {{ {PASS} }}",
            "location": PASS.replace("proxy_buffering off;", "proxy_read_timeout 5s;"),
        },
        {"server": f"location /old/ {{ {PASS.replace('letta:8283', 'old.example.com')} }}"},
        {"server": "proxy_read_timeout 21s;"},
    ],
)
def test_a_proxy_that_does_right_in_another_way_is_no_finding(tmp_path: Path, parts) -> None:
    file = proxied(tmp_path, **parts)

    assert [finding.text for check in CHECKS for finding in check(file)] == []


@pytest.mark.parametrize(
    ("parts", "check", "told"),
    [
        ({"location": NO_HOST}, proxy.redirects_lead_back, "inside of the network"),
        (
            {"location": NO_HOST.replace("$l;", "$l; proxy_redirect off;")},
            proxy.redirects_lead_back,
            "inside of the network",
        ),
        ({"server": "underscores_in_headers off;"}, proxy.users_are_told_apart, "drops the header user_id"),
        ({"server": "client_max_body_size 1m;"}, proxy.documents_pass, "more than 1024 KiB"),
        ({"location": PASS, "server": "proxy_read_timeout 20s;"}, proxy.silence_is_borne, "after 20 s"),
        (
            {"location": PASS.replace("$http_host", "$host:$server_port"), "ports": "9000:8284"},
            proxy.redirects_lead_back,
            "clients reach this server on 9000",
        ),
        (
            {
                "location": "root /x;",
                "server": f"location /letta/ {{ {PASS.replace('$l;', '$l/;').replace('off', 'on')} }}",
            },
            proxy.streams_are_not_held_back,
            "held back",
        ),
    ],
)
def test_a_proxy_that_does_wrong_is_found(tmp_path: Path, parts, check, told) -> None:
    texts = [finding.text for finding in check(proxied(tmp_path, **parts))]

    assert len(texts) == 1
    assert told in texts[0]
