"""Faults of a careless REST surface: rewritten queries, hostile bytes that crash, deletions that are forgotten."""

from __future__ import annotations

import pytest

from pytest_letta.faults.fault import EVERYTHING, Fault, Request, Response
from pytest_letta.faults.surface import choke_on, forget_first_deletion, ill_after, rewrite_query


def served(fault: Fault, request: Request) -> tuple[int, str | None]:
    """Return the status of the answer and the target that reached the server, None when nothing did."""
    reached: list[str] = []

    def forward(request: Request) -> Response:
        reached.append(request.target)
        return Response.of(204)

    return fault.serve(request, forward).status, reached[0] if reached else None


@pytest.mark.parametrize(
    ("pattern", "to", "target"),
    [
        (r"limit=\d+&?", "", "/a?name=x"),
        ("name=", "text=", "/a?limit=5&text=x"),
        ("$", "&all=true", "/a?limit=5&name=x&all=true"),
        (".*", "", "/a"),
        ("none", "x", "/a?limit=5&name=x"),
    ],
)
def test_a_query_is_rewritten_and_the_path_stays(pattern: str, to: str, target: str) -> None:
    assert served(rewrite_query(pattern, to), Request("GET", "/a?limit=5&name=x")) == (204, target)


@pytest.mark.parametrize(
    ("target", "body", "status"),
    [("/a", b"{}", 204), ("/a?x=%00", b"", 500), ("/a", rb'{"x": "\u0000"}', 500)],
)
def test_hostile_bytes_crash_wherever_they_are(target: str, body: bytes, status: int) -> None:
    assert served(choke_on(rb"%00|\\u0000"), Request("POST", target, body))[0] == status


def test_only_the_first_deletion_of_each_resource_is_forgotten() -> None:
    fault = forget_first_deletion(on=EVERYTHING)

    first, again, other = (served(fault, Request("DELETE", path)) for path in ("/a/1", "/a/1", "/a/2"))

    assert (first, again, other) == ((200, None), (204, "/a/1"), (200, None))


def test_the_health_is_bad_once_after_each_bad_body() -> None:
    fault = ill_after(b"bad")
    health, good, bad = Request("GET", "/v1/health/"), Request("POST", "/a", b"good"), Request("POST", "/a", b"bad")

    assert [served(fault, one)[0] for one in (health, good, health, bad, health, health)] == [
        204,
        204,
        204,
        204,
        503,
        204,
    ]
