"""Apart: who is not on the network of the services reaches none of them there."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from pytest_letta import contract, could_not_run, must, not_applicable

if TYPE_CHECKING:
    from pytest_letta.stack.stack import Stack

#: Asks all at once, for what is shut off may answer nothing at all. Prints nothing when it has no network itself.
_KNOCK = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor

def knock(door):
    try:
        socket.create_connection(door, 3).close()
        return True
    except OSError:
        return False

own = [one[4][0] for one in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
if any(not one.startswith("127.") for one in own):
    doors = json.loads(sys.argv[1])
    with ThreadPoolExecutor(len(doors)) as pool:
        print(json.dumps([door for door, is_open in zip(doors, pool.map(knock, map(tuple, doors))) if is_open]))
"""
#: Where the services of a stack listen in their containers; a server of the user's may listen elsewhere too.
_PORTS = {"letta": 8283, "postgres": 5432, "redis": 6379}


@contract(
    "NET-APART-001",
    needs=["execute"],
    because="Redis and the model ask nobody for a password, and Postgres often for one that is written in an example",
)
@pytest.mark.parametrize("service", [pytest.param(name, id=name) for name in _PORTS])
def test_nobody_is_reached_from_another_network(letta_stack: Stack, service: str) -> None:
    """From a container that is on another network, a service is reached neither by its name nor by its addresses."""
    if service not in letta_stack.services:
        not_applicable(f"this stack has no {service}")
    hosts = [letta_stack.hostname(service), *_addresses(letta_stack, service)]
    doors = [[host, _PORTS[service]] for host in hosts]

    done = letta_stack.execute_apart(["python3", "-c", _KNOCK, json.dumps(doors)])

    if done.exit_code != 0 or not done.output.strip():
        could_not_run(f"a container on another network cannot be asked: {done.output.strip()[-300:] or 'no network'}")
    opened = [f"{host}:{port}" for host, port in json.loads(done.output)]
    must(f"{service} is reached from another network, at {', '.join(opened)}" if opened else None)


def _addresses(stack: Stack, service: str) -> list[str]:
    """Return the addresses of a container on all its networks, of which `hostname -i` may tell the first only."""
    table = stack.execute(service, ["cat", "/proc/net/fib_trie"])
    own = set(re.findall(r"\|-- ([\d.]+)\n\s+/32 host LOCAL", table.output)) - {"127.0.0.1", "127.0.0.11"}
    if not own:
        could_not_run(f"the container of {service} does not tell its addresses: {table.output.strip()[-300:]}")
    return sorted(own)
