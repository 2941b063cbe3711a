"""One service: health, death, ports, pausing and ending, with real processes."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

from pytest_letta.errors import PortTakenError, ServiceError
from pytest_letta.stack import processes
from pytest_letta.stack.asking import ask
from pytest_letta.stack.ports import HOST, free_ports
from pytest_letta.stack.process_service import ProcessService, plain_environment
from pytest_letta.stack.rundir import RunDir
from pytest_letta.stack.service import Address
from pytest_letta.stack.waiting import wait_healthy

_STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('ready', flush=True)
time.sleep(99)
"""


class Pages(ProcessService):
    """Python's own file server, with a shell above it so that there is a tree."""

    name = "pages"
    start_limit_s = 10.0
    stop_limit_s: ClassVar[float] = 1.0

    def command(self) -> Sequence[str]:
        port = str(self.address.port)
        return ["sh", "-c", f"{sys.executable} -u -m http.server --bind {self.address.host} {port} & wait $!"]

    def environment(self) -> Mapping[str, str]:
        return plain_environment(self.folder)

    def check(self, limit_s: float) -> str | None:
        return ask(self.address, "/", limit_s)


class Running(Pages):
    """Runs the Python source `source` instead."""

    source = ""

    def command(self) -> Sequence[str]:
        return [sys.executable, "-c", self.source]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunDir]:
    run = RunDir(tmp_path / "run")
    yield run
    run.release()


@pytest.fixture
def pages(run: RunDir) -> Iterator[Pages]:
    service = Pages(run, Address(HOST, free_ports(1)[0]))
    service.launch()
    wait_healthy(service)
    yield service
    service.kill()


def states(service: ProcessService) -> set[str]:
    assert service.process is not None
    return {process.status() for process in processes.tree(service.process.pid)}


def run_source(run: RunDir, source: str) -> Running:
    service = Running(run, Address(HOST, free_ports(1)[0]))
    service.source = source
    service.launch()
    return service


def test_a_service_records_its_own_id_in_a_session_of_its_own(pages: Pages, run: RunDir) -> None:
    assert pages.process is not None
    pid = int(run.pid_file("pages").read_text())

    assert pid == pages.process.pid
    assert psutil.Process(pid).cwd() == str(pages.folder)


def test_pausing_stops_the_whole_tree_and_resuming_lets_it_go_on(pages: Pages) -> None:
    pages.pause()
    paused = states(pages)
    pages.resume()

    assert paused == {psutil.STATUS_STOPPED}
    assert psutil.STATUS_STOPPED not in states(pages)
    assert pages.check(5.0) is None


def test_killing_ends_the_whole_tree(pages: Pages) -> None:
    assert pages.process is not None
    members = processes.tree(pages.process.pid)

    pages.kill()

    assert len(members) == 2
    assert processes.alive(members) == []
    assert not pages.is_running


def test_a_paused_service_can_be_stopped(pages: Pages) -> None:
    pages.pause()

    assert pages.stop() is True
    assert not pages.is_running


def test_a_killed_service_starts_again_on_its_port(pages: Pages) -> None:
    pages.kill()
    pages.launch()
    wait_healthy(pages)

    assert pages.check(5.0) is None


def test_what_does_not_run_can_be_stopped_and_killed_but_not_paused(pages: Pages) -> None:
    pages.kill()

    pages.kill()
    assert pages.stop() is True
    with pytest.raises(ServiceError, match="pages cannot be paused: it is not running"):
        pages.pause()


def test_a_service_that_ignores_the_signal_is_killed_and_its_log_says_so(run: RunDir) -> None:
    service = run_source(run, _STUBBORN)
    while "ready" not in service.log_tail():
        assert service.is_running

    ended_by_itself = service.stop()

    assert ended_by_itself is False
    assert not service.is_running
    assert "pages did not end within 1 s; it is killed" in service.log_tail()


def test_a_death_during_the_wait_is_told_with_code_and_log(run: RunDir) -> None:
    service = run_source(run, "print('no such option: --frobnicate'); raise SystemExit(3)")

    with pytest.raises(ServiceError, match=r"pages ended with 3 .*(?s:.)*no such option: --frobnicate$"):
        wait_healthy(service)


def test_a_wait_in_vain_tells_for_what_how_long_and_the_last_answer(
    run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Running, "start_limit_s", 0.5)
    service = run_source(run, "import time; print('thinking', flush=True); time.sleep(99)")
    try:
        with pytest.raises(ServiceError) as caught:
            wait_healthy(service)
    finally:
        service.kill()

    assert str(caught.value).startswith(f"pages was not healthy at {service.address} after ")
    assert "last answer: ConnectionRefusedError" in str(caught.value)


def test_a_death_behind_a_port_that_stays_silent_is_noticed_before_the_limit(run: RunDir) -> None:
    with socket.create_server((HOST, 0)) as silent:
        service = Running(run, Address(HOST, silent.getsockname()[1]))
        service.source = "raise SystemExit(4)"
        service.launch()
        with pytest.raises(ServiceError, match="pages ended with 4"):
            wait_healthy(service)


def test_a_taken_port_is_told_as_such(run: RunDir) -> None:
    with socket.create_server((HOST, 0)) as somebody:
        service = Pages(run, Address(HOST, somebody.getsockname()[1]))
        service.launch()
        with pytest.raises(PortTakenError, match=f"pages found its port taken: {service.address}"):
            wait_healthy(service)


def test_an_old_complaint_in_the_log_is_not_taken_for_a_new_one(run: RunDir) -> None:
    run.log("pages").write_text("OSError: [Errno 98] Address already in use\n")
    service = run_source(run, "raise SystemExit(1)")

    with pytest.raises(ServiceError, match="pages ended with 1"):
        wait_healthy(service)


def test_a_stranger_on_our_port_is_not_taken_for_our_service(
    run: RunDir, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Running, "start_limit_s", 1.0)
    port = free_ports(1)[0]
    command = [sys.executable, "-m", "http.server", "--bind", HOST, str(port)]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as stranger:
        try:
            while ask(Address(HOST, port), "/", 5.0):
                assert stranger.poll() is None
            service = run_source(run, "import time; time.sleep(99)")
            service.address = Address(HOST, port)
            with pytest.raises(ServiceError, match="of another process that listens on"):
                wait_healthy(service)
        finally:
            service.kill()
            stranger.send_signal(signal.SIGKILL)


def test_ports_are_different_and_free() -> None:
    ports = free_ports(5)

    assert len(set(ports)) == 5
    for port in ports:
        socket.create_server((HOST, port)).close()
