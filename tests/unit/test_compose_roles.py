"""Roles: which service of a compose file is Letta, its database, its Redis and its proxy."""

from __future__ import annotations

from pathlib import Path

import pytest
from composed import composed

from pytest_letta.compose.roles import left_out, recognise
from pytest_letta.errors import ComposeFileError


def roles_of(text: str, *named: str) -> dict[str, str]:
    return recognise(composed(text), named)


def test_usual_images_are_recognised() -> None:
    found = roles_of("""
        services:
          a: {image: "pgvector/pgvector:pg16"}
          b: {image: "docker.io/letta/letta:0.16.8"}
          c: {image: "redis:7-alpine"}
          d: {image: "nginx:1.27-alpine", depends_on: {b: {condition: service_started}}, ports: [{target: 80}]}
          f: {image: "nginx:1.27-alpine", depends_on: {b: {condition: service_started}}}
          e: {image: "shop:1", environment: {LETTA_BASE_URL: "http://b:8283", POSTGRES_PASSWORD: x}}
    """)

    assert found == {"letta": "b", "postgres": "a", "redis": "c", "nginx": "d"}


@pytest.mark.parametrize(
    "server",
    [
        "build: {context: .}, environment: {LETTA_PG_URI: 'postgresql://u:p@db/x'}",
        "image: mine:1, command: [letta, server, --host, 0.0.0.0]",
        "image: registry.example:5000/team/letta-server:1",
    ],
)
def test_a_server_in_an_image_of_ones_own_is_recognised(server) -> None:
    found = roles_of(f"services: {{web: {{image: 'shop:1'}}, brain: {{{server}}}}}")

    assert found == {"letta": "brain"}


def test_the_database_that_letta_names_is_the_one() -> None:
    found = roles_of("""
        services:
          letta: {image: "letta/letta:1", environment: {LETTA_PG_URI: "postgresql://u:p@memory-db:5432/x"}}
          shop-db: {image: "postgres:16", environment: {POSTGRES_PASSWORD: x}}
          memory: {image: "postgres:16", environment: {POSTGRES_PASSWORD: x}, container_name: memory-db}
    """)

    assert found["postgres"] == "memory"


def test_an_nginx_that_does_not_lead_to_letta_is_an_application(tmp_path: Path) -> None:
    (tmp_path / "shop.conf").write_text("server { location / { root /srv; } }")
    (tmp_path / "letta.conf").write_text("server { location / { proxy_pass http://letta:8283; } }")
    text = """
        services:
          letta: {{image: "letta/letta:1"}}
          web:
            image: nginx:1
            volumes: [{{type: bind, source: {source}, target: /etc/nginx/conf.d/default.conf}}]
    """

    assert "nginx" not in roles_of(text.format(source=tmp_path / "shop.conf"))
    assert roles_of(text.format(source=tmp_path / "letta.conf"))["nginx"] == "web"


TWO = """
    services:
      one: {image: "letta/letta:1"}
      two: {image: "letta/letta:1"}
"""


def test_two_that_fit_alike_are_refused_with_their_lines_and_the_option() -> None:
    with pytest.raises(ComposeFileError) as caught:
        roles_of(TWO)

    assert "one (compose.yml:3), two (compose.yml:4) can all be letta" in str(caught.value)
    assert "--letta-compose-service letta=one" in str(caught.value)


def test_a_word_of_the_user_wins() -> None:
    assert roles_of(TWO, "letta=two") == {"letta": "two"}
    assert roles_of(TWO, "without=one") == {"letta": "two"}
    assert left_out(["letta=two", "without=one", "without=three"]) == {"one", "three"}


def test_an_empty_word_says_that_nobody_has_the_role() -> None:
    text = "services: {letta: {image: 'letta/letta:1'}, cache: {image: 'redis:7'}}"

    assert roles_of(text)["redis"] == "cache"
    assert "redis" not in roles_of(text, "redis=")


@pytest.mark.parametrize(
    ("text", "named", "told"),
    [
        (
            "services: {shop: {image: 'shop:1'}}",
            (),
            "no service of compose.yml is recognised as Letta (there are shop)",
        ),
        (TWO, ("letta=tow",), "did you mean 'two'?"),
    ],
)
def test_what_cannot_be_told_is_refused(text, named, told) -> None:
    with pytest.raises(ComposeFileError) as caught:
        roles_of(text, *named)

    assert told in str(caught.value)


def test_a_job_that_migrates_with_the_same_image_is_not_the_server() -> None:
    found = roles_of("""
        services:
          migrate: {image: "letta/letta:1", command: [alembic, upgrade, head]}
          letta: {image: "letta/letta:1", ports: [{target: 8283, published: "8283"}]}
    """)

    assert found["letta"] == "letta"
