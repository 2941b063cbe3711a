"""An engine on another machine: here the one of this machine, by an address that is not the loopback one."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from live_agents import block_value, make_agent

from pytest_letta.stack.containers.engine import Engine
from pytest_letta.stack.docker import DockerStack

_SOCKET = "/var/run/docker.sock"


def pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def forward(near: socket.socket) -> None:
    with near, socket.socket(socket.AF_UNIX) as far:
        far.connect(_SOCKET)
        back = threading.Thread(target=pump, args=(far, near), daemon=True)
        back.start()
        pump(near, far)
        back.join()


@pytest.fixture
def remote_host(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of the bridge, where the engine's socket is forwarded to while the test runs; DOCKER_HOST names it."""
    subnet = engine.client.networks.get("bridge").attrs["IPAM"]["Config"][0]["Subnet"]
    host = str(ipaddress.ip_network(subnet)[1])
    with socket.create_server((host, 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    near, _ = listener.accept()
                    threading.Thread(target=forward, args=(near,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://{host}:{listener.getsockname()[1]}")
        yield host
        listener.shutdown(socket.SHUT_RDWR)


def test_a_stack_is_reached_at_the_address_of_its_engine(remote_host: str) -> None:
    with DockerStack() as stack:
        assert stack.engine.is_remote
        assert stack.url.startswith(f"http://{remote_host}:")
        agent = make_agent(stack)
        assert block_value(str(stack.proxy_url), agent) == "Ann"
