"""The https address of a deployment, and the certificates of stacks."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pytest_letta.stack.certificate import make_certificate
from pytest_letta.stack.external import ExternalStack
from pytest_letta.tls import TlsAddress, tls_address


@pytest.mark.parametrize(
    ("url", "proxy_url", "expected"),
    [
        ("http://a:8283", None, None),
        ("http://a:8283", "http://a:8284", None),
        ("https://a/letta", None, "https://a/letta"),
        ("http://a:8283", "https://b/", "https://b"),
        ("https://a", "http://b", "https://a"),
        ("https://a", "https://b", "https://b"),
    ],
)
def test_address_is_that_of_the_proxy_where_it_has_one(url: str, proxy_url: str | None, expected: str | None) -> None:
    found = tls_address(ExternalStack(url, proxy_url, None))

    assert found == (None if expected is None else TlsAddress(expected, None))


def test_address_of_a_stack_comes_with_its_authority() -> None:
    stack = ExternalStack("https://a", None, None)
    stack.tls_url, stack.ca_file = "https://127.0.0.1:1", "/authority.pem"

    assert tls_address(stack) == TlsAddress("https://127.0.0.1:1", "/authority.pem")


def test_certificate_is_for_its_owner_alone(tmp_path: Path) -> None:
    make_certificate(["localhost"]).write(tmp_path)

    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {"authority.pem": 0o600, "chain.pem": 0o600, "key.pem": 0o600}
