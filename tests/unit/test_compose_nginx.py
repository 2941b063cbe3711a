"""nginx configurations: how they are read out of mounts, and which location takes a request."""

from __future__ import annotations

from pathlib import Path

import pytest
from composed import composed

from pytest_letta.compose.nginx_file import Directive, NginxSyntaxError, nginx_configuration, parse
from pytest_letta.compose.nginx_routes import listens, route_of, routes, seconds
from pytest_letta.compose.place import Place


def parsed(text: str) -> Directive:
    return Directive("http", (), Place(Path("nginx.conf"), 1), _block(text))


def _block(text: str) -> tuple[Directive, ...]:
    return parse(text, Path("nginx.conf"), lambda pattern: ())


def test_words_quotes_comments_and_blocks_are_told_apart() -> None:
    (first, second) = _block("# no\nlog_format main \"a; b\" 'c}'; # yes\nmap $x ${y}z {\n  ~^/a(.*)$ $1;\n}\n")

    assert (first.name, first.args, first.place.line) == ("log_format", ("main", "a; b", "c}"), 2)
    assert (second.name, second.args, second.place.line) == ("map", ("$x", "${y}z"), 3)
    assert second.block is not None
    assert second.block[0].args == ("$1",)


@pytest.mark.parametrize("text", ["server {", "server }", "listen 80", 'a "b;'])
def test_what_is_no_configuration_is_refused(text) -> None:
    with pytest.raises(NginxSyntaxError):
        _block(text)


SERVER = """
server {
    listen 8284;
    location = /exact { proxy_pass http://exact; }
    location /v1/ {
        proxy_pass http://prefix;
        location /v1/runs/ { proxy_pass http://inner; }
    }
    location ^~ /static/ { proxy_pass http://fixed; }
    location ~ /stream$ { proxy_pass http://stream; }
    location ~* \\.PNG$ { proxy_pass http://picture; }
    location / { root /srv; }
}
"""


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/exact", "http://exact"),
        ("/v1/agents", "http://prefix"),
        ("/v1/agents/stream", "http://stream"),
        ("/v1/runs/1", "http://inner"),
        ("/static/stream", "http://fixed"),
        ("/a.png", "http://picture"),
        ("/other", None),
    ],
)
def test_the_location_is_the_one_that_nginx_takes(path, target) -> None:
    http = parsed(SERVER)
    (server,) = http.find("server")

    route = route_of(http, server, path)

    assert (route and route.passing.args[0]) == target


def test_targets_are_followed_through_groups_and_variables() -> None:
    http = parsed("""
        upstream letta { server one:8283 max_fails=3; server two:8283; }
        server {
            set $other three:8283;
            location /a { proxy_pass http://letta$request_uri; }
            location /b { proxy_pass http://$other; }
            location /c { proxy_pass http://$unknown; }
            location /d { proxy_pass http://four/below/; }
        }
    """)

    found = {route.chain[-1].args[0]: [(host, port) for host, port, _ in route.targets()] for route in routes(http)}

    assert found == {
        "/a": [("one", 8283), ("two", 8283)],
        "/b": [("three", 8283)],
        "/c": [],
        "/d": [("four", None)],
    }


def test_headers_are_inherited_all_or_none() -> None:
    http = parsed("""
        proxy_read_timeout 5m;
        server {
            proxy_set_header Host $http_host;
            location /a { proxy_pass http://x; }
            location /b { proxy_pass http://x; proxy_set_header Connection ""; proxy_read_timeout 10; }
        }
    """)

    a, b = routes(http)

    assert (a.header("host"), b.header("host")) == ("$http_host", None)
    assert [seconds(one) for route in (a, b) if (one := route.effective("proxy_read_timeout"))] == [300.0, 10.0]


@pytest.mark.parametrize(("text", "expected"), [("1m 30s", 90.0), ("500ms", 0.5), ("60", 60.0), ("soon", None)])
def test_times_are_read_as_nginx_reads_them(text, expected) -> None:
    assert seconds(_block(f"proxy_read_timeout {text};")[0]) == expected


def test_ports_are_told_with_tls() -> None:
    (server,) = _block("server { listen 80; listen [::]:8443 ssl; listen 127.0.0.1:9000; }")

    assert list(listens(server)) == [(80, False), (8443, True), (9000, False)]
    assert list(listens(_block("server { }")[0])) == [(80, False)]


def mounting(folder: Path, target: str, environment: str = "{}") -> Directive | None:
    file = composed(
        f"""
        services:
          web:
            image: nginx:1
            environment: {environment}
            volumes: [{{type: bind, source: {folder}, target: {target}}}]
        """,
        nginx="web",
    )
    return nginx_configuration(file, "web")


def test_included_files_are_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text("events { }\nhttp {\n  include conf.d/*.conf;\n  include mime.types;\n}\n")
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "b.conf").write_text("server { listen 2; }")
    (tmp_path / "conf.d" / "a.conf").write_text("\nserver { listen 1; }")

    http = mounting(tmp_path, "/etc/nginx")

    assert http is not None
    assert [(one.place.file.name, listens(one)[0][0]) for one in http.find("server")] == [
        ("a.conf", 1),
        ("b.conf", 2),
    ]
    assert [one.place.line for one in http.find("server")] == [2, 1]


def test_a_file_that_includes_itself_comes_to_an_end(tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text("http { include nginx.conf; }")

    assert mounting(tmp_path, "/etc/nginx") is not None


def test_templates_are_filled_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "default.conf.template").write_text("server { listen ${PORT}; set $x $host; }")

    http = mounting(tmp_path, "/etc/nginx/templates", "{PORT: '8284'}")

    assert http is not None
    (server,) = http.find("server")
    assert list(listens(server)) == [(8284, False)]
    assert next(server.find("set")).args == ("$x", "$host")


def test_without_a_mount_nothing_is_known(tmp_path: Path) -> None:
    assert mounting(tmp_path, "/usr/share/nginx/html") is None
