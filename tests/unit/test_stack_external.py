"""A restart by the command of somebody else: the server is seen going down and coming back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pytest_letta.errors import StackError
from pytest_letta.stack.external import ExternalStack


@contextmanager
def server(asked: Path, down_s: tuple[float, float]) -> Iterator[str]:
    """Serve health, but for that time after the file `asked` was made; yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            age_s = time.time() - asked.stat().st_mtime if asked.exists() else -1.0
            self.send_response(503 if down_s[0] <= age_s < down_s[1] else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


def age_s(asked: Path) -> float:
    return time.time() - asked.stat().st_mtime


def test_a_downtime_that_begins_after_the_command_is_waited_for(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    with server(asked, (0.5, 1.0)) as url:
        ExternalStack(url, None, f"touch {asked}").restart("letta")

        assert age_s(asked) >= 1.0


def test_a_downtime_during_the_command_is_not_waited_for_again(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    with server(asked, (0.0, 0.3)) as url:
        ExternalStack(url, None, f"touch {asked}; sleep 0.6", downtime_limit_s=60).restart("letta")

        assert age_s(asked) < 30


def test_a_proxy_that_comes_back_later_is_waited_for(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    with server(asked, (0.0, 0.5)) as url, server(asked, (0.0, 1.0)) as proxy_url:
        ExternalStack(url, proxy_url, f"touch {asked}").restart("letta")

        assert age_s(asked) >= 1.0


def test_a_proxy_that_was_not_there_is_not_waited_for(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    asked.touch()
    with server(asked, (-1.0, 60.0)) as proxy_url, server(tmp_path / "never", (0, 0)) as url:
        ExternalStack(url, proxy_url, "true", return_limit_s=5, downtime_limit_s=0.1).restart("letta")


def test_a_command_that_does_not_end_is_ended(tmp_path: Path) -> None:
    with server(tmp_path / "never", (0, 0)) as url:
        stack = ExternalStack(url, None, f"sleep 60; touch {tmp_path / 'late'}", return_limit_s=0.5)
        with pytest.raises(StackError, match=r"was not done after 0\.5 s"):
            stack.restart("letta")
