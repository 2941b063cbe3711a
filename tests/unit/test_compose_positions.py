"""Positions: the line on which something of a compose file stands."""

from __future__ import annotations

import pytest

from pytest_letta.compose.entries import mounting, publishing
from pytest_letta.compose.positions import Positions

TEXT = """\
x-shared: &shared
  image: redis:7
  restart: always
services:
  cache:
    <<: *shared
    ports:
      - "127.0.0.1:6379:6379"
      - target: 8001
        published: "9001"
    environment:
      - A=1
      - B=x=y
    volumes:
      - data:/data
      - type: bind
        source: ./conf
        target: /conf
  other: !override
    environment:
      A: 1
"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("services", "cache"), 5),
        (("services", "cache", "restart"), 3),
        (("services", "cache", "environment", "B"), 13),
        (("services", "other", "environment", "A"), 21),
        (("services", "cache", "environment", "C"), 11),
        (("services", "cache", "nothing", "of", "this"), 5),
        (("services", "cache", "volumes", 1), 16),
        (("services", "cache", "ports", publishing(6379)), 8),
        (("services", "cache", "ports", publishing(8001)), 9),
        (("services", "cache", "volumes", mounting("/data")), 15),
        (("services", "cache", "volumes", mounting("/conf")), 16),
    ],
)
def test_the_deepest_key_that_is_there_gives_the_line(keys, line) -> None:
    assert Positions(TEXT).line(*keys) == line


def test_a_service_of_another_file_has_no_line() -> None:
    assert Positions(TEXT).line("services", "elsewhere", "image") is None


def test_values_come_as_plain_text() -> None:
    positions = Positions(TEXT)

    assert positions.value("services", "cache", "volumes", 1) == {
        "type": "bind",
        "source": "./conf",
        "target": "/conf",
    }
    assert positions.value("services", "cache", "volumes", 7) is None
    assert positions.has("services", "cache", "image")
    assert not positions.has("services", "other", "image")


@pytest.mark.parametrize(
    "entry", ["8283", "8283:8283", "127.0.0.1:80:8283/tcp", "${PORT:-9}:8283", "9000-9010:8280-8290"]
)
def test_a_port_is_found_in_each_of_its_short_forms(entry) -> None:
    assert publishing(8283)(entry)
    assert not publishing(9999)(entry)
