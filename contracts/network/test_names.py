"""Names: whoever is on the network of the services finds them by name, and finds no others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta import contract, could_not_run, must, not_applicable
from pytest_letta.conformance.checks import equal

if TYPE_CHECKING:
    import httpx

    from pytest_letta.stack.stack import Stack

#: The services that share a network with the server; any other is an application's own business.
_SHARED = ("postgres", "redis", "llm", "letta", "nginx")

# What runs beside the server prints one line of JSON, and no password.
_TRY_ADDRESSES = """
import json, os, socket
from urllib.parse import urlsplit

def addresses(given):
    uri = urlsplit(given.get("LETTA_PG_URI", ""))
    if uri.hostname:
        yield "LETTA_PG_URI", uri.hostname, uri.port or 5432
    elif given.get("LETTA_PG_HOST"):
        yield "LETTA_PG_HOST", given["LETTA_PG_HOST"], int(given.get("LETTA_PG_PORT") or 5432)
    if given.get("LETTA_REDIS_HOST"):
        yield "LETTA_REDIS_HOST", given["LETTA_REDIS_HOST"], int(given.get("LETTA_REDIS_PORT") or 6379)
    for name, value in given.items():
        url = urlsplit(value) if name.endswith(("_API_BASE", "_BASE_URL")) else None
        if url is not None and url.hostname:
            yield name, url.hostname, url.port or (443 if url.scheme == "https" else 80)

found = {}
for name, host, port in addresses(dict(os.environ)):
    try:
        socket.create_connection((host, port), 5).close()
        found[name] = [f"{host}:{port}", None]
    except OSError as error:
        found[name] = [f"{host}:{port}", str(error)]
print(json.dumps(found))
"""

_LOOK_UP = """
import json, socket, sys

def look_up(name):
    try:
        return sorted({one[4][0] for one in socket.getaddrinfo(name, None, socket.AF_INET)})
    except OSError:
        return []

print(json.dumps({name: look_up(name) for name in sys.argv[1:]}))
"""

_GET = """
import json, sys, urllib.error, urllib.request

try:
    with urllib.request.urlopen(sys.argv[1], timeout=10) as answer:
        print(json.dumps([answer.status, answer.read().decode()]))
except urllib.error.HTTPError as error:
    print(json.dumps([error.code, error.read().decode()]))
except OSError as error:
    print(json.dumps([None, str(error)]))
"""


@contract(
    "NET-NAME-001",
    needs=["execute"],
    because="localhost in a container is the container itself: letta-ai/letta#2388, #2282",
)
def test_every_address_of_the_configuration_is_reached(letta_stack: Stack) -> None:
    """Where the server runs, each address that it was given, of database, Redis and models, takes connections."""
    given = _python_beside_letta(letta_stack, _TRY_ADDRESSES)
    if not given:
        not_applicable("the server was given no address of a database, a Redis or a model by its environment")

    refused = [f"{name} ({address}: {why})" for name, (address, why) in sorted(given.items()) if why is not None]

    must(f"where the server runs, nobody is reached at {', '.join(refused)}" if refused else None)


@contract(
    "NET-NAME-002",
    needs=["execute"],
    because="two stacks on one network take turns under one name; a name that is written down goes stale",
)
def test_names_lead_to_their_own_services(letta_stack: Stack) -> None:
    """Where the server runs, the name of each service leads to the containers of that service and to no others."""
    names = {service: letta_stack.hostname(service) for service in _SHARED if service in letta_stack.services}

    led_to = _python_beside_letta(letta_stack, _LOOK_UP, *names.values())

    must("; ".join(filter(None, (_astray(letta_stack, one, led_to[name]) for one, name in names.items()))) or None)


@pytest.mark.parametrize("service", ["letta", "nginx"])
@contract(
    "NET-NAME-003",
    needs=["execute"],
    because="applications beside the server use its name; a proxy that knows its public name only turns them away",
)
def test_services_answer_under_their_names(letta_stack: Stack, letta_client: httpx.Client, service: str) -> None:
    """The server, and the proxy before it, answer under their names on the network as they do from outside."""
    if service not in letta_stack.services:
        not_applicable(f"this stack has no {service}")
    outside = letta_client.get("/v1/health/")

    seen = {
        url: _python_beside_letta(letta_stack, _GET, url)
        for url in (
            f"http://{letta_stack.hostname(service)}:{port}/v1/health/" for port in _ports(letta_stack, service)
        )
    }

    if [outside.status_code, outside.text] not in seen.values():
        must(equal([outside.status_code, outside.text], seen, f"health under the name of {service}"))


def _python_beside_letta(stack: Stack, program: str, *arguments: str) -> Any:
    done = stack.execute("letta", ["python3", "-c", program, *arguments])
    if done.exit_code != 0:
        could_not_run(f"python3 beside the server ended with {done.exit_code}: {done.output.strip()[-300:]}")
    return json.loads(done.output)


def _astray(stack: Stack, service: str, led_to: list[str]) -> str | None:
    """Compare where the name of `service` leads with where it is; of replicas, the first tells where it is."""
    own = stack.execute(service, ["hostname", "-i"])
    if own.exit_code != 0:
        could_not_run(f"the container of {service} does not tell its addresses: {own.output.strip()[-300:]}")
    here = own.output.split()
    number = max(1, len(stack.replicas(service)))
    if len(led_to) == number and set(led_to) & set(here):
        return None
    containers = "container is" if number == 1 else f"{number} containers are"
    return f"{stack.hostname(service)} leads to {' and '.join(led_to) or 'nowhere'}; its {containers} at {here[0]}"


def _ports(stack: Stack, service: str) -> list[int]:
    """Return the TCP ports at which something listens in the container of `service`."""
    table = stack.execute(service, ["cat", "/proc/net/tcp", "/proc/net/tcp6"]).output
    rows = [line.split() for line in table.splitlines() if ":" in line.partition(" ")[2]]
    return sorted({int(row[1].rpartition(":")[2], 16) for row in rows if len(row) > 3 and row[3] == "0A"})
