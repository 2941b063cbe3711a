"""Slash redirects: the server adds a missing slash, and nothing may be lost on that way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_letta import contract, must

from .redirects import creation_problem, redirect_problem

if TYPE_CHECKING:
    import httpx

    from pytest_letta.handles import Handles
    from pytest_letta.ownership import Ledger

_LOST_PORT = "a Location without the port or with http:// behind TLS loses the password: letta-ai/letta#3189"
_LOST_BODY = "clients that write /v1/agents without the slash must create what they asked for"


@contract("NET-REDIR-001", needs=["agents"], because=_LOST_PORT)
def test_redirect_stays_on_its_origin(letta_client: httpx.Client) -> None:
    """A missing slash is added by a redirect to the same origin, with the same query."""
    must(redirect_problem(letta_client))


@contract("NET-REDIR-002", needs=["agents", "proxy"], because=_LOST_PORT)
def test_proxied_redirect_stays_on_its_origin(letta_proxy_client: httpx.Client) -> None:
    """The same redirect through the proxy stays on the proxy's origin."""
    must(redirect_problem(letta_proxy_client))


@contract("NET-REDIR-003", needs=["agents"], because=_LOST_BODY)
def test_redirect_keeps_method_body_and_password(
    letta_client: httpx.Client, letta_handles: Handles, letta_ledger: Ledger
) -> None:
    """A POST without the slash, followed, does what the POST with the slash does."""
    must(creation_problem(letta_client, letta_handles, letta_ledger))


@contract("NET-REDIR-004", needs=["agents", "proxy"], because=_LOST_BODY)
def test_proxied_redirect_keeps_method_body_and_password(
    letta_proxy_client: httpx.Client, letta_handles: Handles, letta_ledger: Ledger
) -> None:
    """The same POST through the proxy, followed, does what the POST with the slash does."""
    must(creation_problem(letta_proxy_client, letta_handles, letta_ledger))
