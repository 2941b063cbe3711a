"""Families: the addresses of a name, of IPv4 and of IPv6, lead to one server, or say at once that they do not."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import httpx

from pytest_letta import contract, must
from pytest_letta.conformance.checks import status

if TYPE_CHECKING:
    from pytest_letta.agent import Agent
    from pytest_letta.settings import Settings

#: What `localhost` is, in either order, whatever this machine makes of it.
_LOOPBACK = ("127.0.0.1", "::1")
_CONNECT_S = 5.0
#: A name may have many, for the load; the first ones are those that clients try.
_MOST = 8
_CURE = "bind each family, or none of the other: `listen [::]:80;` in nginx; no AAAA record without a listener"
_WHY = "clients take the first address of a name, which is one of IPv6 on many machines; few go on to the next"


def _problem(client: httpx.Client, agent: Agent, settings: Settings) -> str | None:
    """Say which address of the host of `client` leads elsewhere or nowhere, if one does."""
    base = client.base_url
    name = "localhost" if base.host in _LOOPBACK else base.host
    sent = {"Host": base.netloc.decode()}
    if settings.token:
        sent["Authorization"] = f"Bearer {settings.token}"  # which goes by itself to the origin of the base URL alone
    for address in _addresses(name):
        if settings.token and base.host in _LOOPBACK and address != base.host:
            continue  # not the address for which the password was given
        where = f"the address {address} of {name}"
        there = base.copy_with(host=address, raw_path=base.raw_path.rstrip(b"/") + agent.path.encode())
        try:
            answer = client.get(
                there,
                headers=sent,
                timeout=httpx.Timeout(settings.timeout, connect=_CONNECT_S),
                extensions={"sni_hostname": base.host},
            )
        except httpx.ConnectError:
            continue  # refused, or there is no way to it from here: the next one is tried at once
        except httpx.TimeoutException as error:
            return f"{where} takes no connections and refuses none: who tries it first waits ({_CURE}): {error}"
        if problem := status(answer):
            return f"{where} leads to another server: {problem} ({_CURE})"
    return None


def _addresses(name: str) -> list[str]:
    if name == "localhost":
        return list(_LOOPBACK)
    found = [str(one[4][0]) for one in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]
    return list(dict.fromkeys(found))[:_MOST]


@contract("NET-FAMILY-001", needs=["agents"], because=_WHY)
def test_each_address_leads_to_the_same_server(
    letta_agent: Agent, letta_client: httpx.Client, letta_settings: Settings
) -> None:
    """Each address of the server's host, IPv4 or IPv6, leads to the same server, or refuses connections at once."""
    must(_problem(letta_client, letta_agent, letta_settings))


@contract("NET-FAMILY-002", needs=["agents", "proxy"], because=_WHY)
def test_each_address_of_the_proxy_leads_to_the_same_server(
    letta_agent: Agent, letta_proxy_client: httpx.Client, letta_settings: Settings
) -> None:
    """Each address of the proxy's host, IPv4 or IPv6, leads to the same server, or refuses connections at once."""
    must(_problem(letta_proxy_client, letta_agent, letta_settings))
