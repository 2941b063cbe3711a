"""`python -m pytest_letta.llm` serves until a signal, and says what to set."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from pytest_letta.llm import ModelControl, say, serve

COMMAND = [sys.executable, "-m", "pytest_letta.llm"]


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def test_printed_setting_is_where_it_serves() -> None:
    with running("--port", "0") as (_, line):
        name, _, base_url = line.partition("=")
        control = ModelControl(base_url)
        script = control.script(say("Alone."))
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": script.prompt()}]}
        answer = httpx.post(f"{base_url}/chat/completions", json=body, trust_env=False, timeout=30)

        assert name == "OPENAI_API_BASE"
        assert not base_url.endswith(":0/v1")
        assert answer.json()["choices"][0]["message"]["content"] == "Alone."
        assert len(control.requests(script)) == 1


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_with_zero_even_with_a_client_connected(end: signal.Signals) -> None:
    with running() as (process, line), httpx.Client(trust_env=False) as client:
        client.get(f"{line.partition('=')[2]}/models")
        process.send_signal(end)
        out, log = process.communicate(timeout=30)

        assert (process.returncode, out) == (0, "")
        assert log == "'GET /v1/models HTTP/1.1' 200\n"


def test_taken_port_is_one_line_and_exit_code_one() -> None:
    with serve() as server:
        port = str(server.server_port)
        done = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, timeout=30)

    assert done.returncode == 1
    assert done.stderr.startswith(f"error: the scripted model cannot listen on 127.0.0.1:{port}")
    assert done.stderr.count("\n") == 1


def test_serving_loads_nothing_heavy() -> None:
    code = (
        "import sys, pytest_letta.llm.__main__; print(sorted({'httpx', 'hypothesis', 'pytest'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
