"""Real nginx with the usual mistakes: which contracts of streams notice, and which directive their findings name.

The table is the document of it. A mistake without victims is there to say that it does no harm to streams.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_letta.faults.stack import FaultyStack
from pytest_letta.stack.nginx import Nginx
from pytest_letta.stack.ports import free_ports
from pytest_letta.stack.rundir import RunDir
from pytest_letta.stack.service import Address
from pytest_letta.stack.stack import Stack

#: What is asked of each: the cheapest contracts that notice one thing each.
_PANEL = (
    "SSE-ARRIVAL-002 or SSE-ARRIVAL-004 or SSE-PROXY-001 "
    "or proxied and (SSE-HEAD-001 or SSE-CANCEL-001 or SSE-REFUSE-002 or SSE-FRAME-001)"
)
_UNBUFFERED, _HTTP = "proxy_buffering off;", "proxy_http_version 1.1;"
_GZIP = "gzip on; gzip_min_length 1; gzip_proxied any; gzip_types text/event-stream;"
_NO_GZIP = "gzip off, or no text/event-stream in gzip_types"
_CANCELS = ("SSE-CANCEL-001[proxied-foreground]", "SSE-CANCEL-001[proxied-background]")


@dataclass(frozen=True)
class Mistake:
    """What stands in the place of what in the configuration; the findings of `kills` name the `directive`."""

    name: str
    changes: Mapping[str, str]
    kills: tuple[str, ...] = ()
    directive: str = ""


_MISTAKES = (
    # Up to nginx 1.29 these were the defaults: what comes without chunks is passed on when a buffer is full.
    Mistake(
        "buffers-and-http-1.0",
        {_UNBUFFERED: "", _HTTP: "proxy_http_version 1.0;"},
        ("SSE-ARRIVAL-002",),
        "proxy_buffering off, proxy_http_version 1.1; or X-Accel-Buffering: no",
    ),
    # Either of them alone holds nothing back.
    Mistake("buffers-alone", {_UNBUFFERED: ""}),
    Mistake("http-1.0-alone", {_HTTP: "proxy_http_version 1.0;"}),
    Mistake("gzip", {"gzip off;": _GZIP}, ("SSE-HEAD-001[proxied]",), _NO_GZIP),
    Mistake(
        "gzip-and-buffers",
        {"gzip off;": _GZIP, _UNBUFFERED: ""},
        ("SSE-ARRIVAL-002", *_CANCELS, "SSE-HEAD-001[proxied]"),
        _NO_GZIP,
    ),
    Mistake(
        "short-read-timeout",
        {"proxy_read_timeout 3600s;": "proxy_read_timeout 2s;"},
        ("SSE-ARRIVAL-004",),
        "proxy_read_timeout 3600s",
    ),
    Mistake(
        "expires",
        {_UNBUFFERED: f"{_UNBUFFERED} expires 1h;"},
        ("SSE-HEAD-001[proxied]",),
        "no expires and no add_header Cache-Control",
    ),
    Mistake(
        "content-type-hidden",
        {_UNBUFFERED: f"{_UNBUFFERED} proxy_hide_header Content-Type;"},
        ("SSE-FRAME-001[proxied-steps]", "SSE-FRAME-001[proxied-tokens]", "SSE-HEAD-001[proxied]", "SSE-PROXY-001"),
        "no proxy_hide_header Content-Type",
    ),
    Mistake(
        "error-page",
        {
            _UNBUFFERED: f"{_UNBUFFERED} proxy_intercept_errors on; error_page 404 @missing;",
            "location / {": "location @missing { default_type text/html; return 404 Gone; }\n    location / {",
        },
        ("SSE-REFUSE-002[proxied]",),
        "proxy_intercept_errors off and no error_page",
    ),
)


class _Mistaken(Nginx):
    """nginx with one mistake in its configuration."""

    def __init__(self, run: RunDir, address: Address, letta: Address, mistake: Mistake) -> None:
        super().__init__(run, address, letta)
        self._mistake = mistake

    def command(self) -> Sequence[str]:
        words = super().command()
        conf = self.folder / "nginx.conf"
        text = conf.read_text()
        for old, new in self._mistake.changes.items():
            assert text.count(old) == 1
            text = text.replace(old, new)
        conf.write_text(text)
        return words


@contextmanager
def _behind(stack: Stack, mistake: Mistake, folder: Path) -> Iterator[Stack]:
    (port,) = free_ports(1)
    run = RunDir(folder / "run")
    nginx = _Mistaken(run, Address("127.0.0.1", port), stack.address("letta"), mistake)
    try:
        nginx.launch()
        deadline = time.monotonic() + 20
        while problem := nginx.check(1.0):
            assert nginx.is_running, nginx.log_tail()
            assert time.monotonic() < deadline, problem
            time.sleep(0.05)
        yield FaultyStack(stack, proxy_url=nginx.url)
    finally:
        nginx.end()
        run.release()


@pytest.mark.slow
@pytest.mark.parametrize("mistake", _MISTAKES, ids=lambda mistake: mistake.name)
def test_mistake_is_named(judge: Any, live_stack: Stack, tmp_path: Path, mistake: Mistake) -> None:
    with _behind(live_stack, mistake, tmp_path) as stack:
        records = judge("streaming", _PANEL, healthy=stack)

    failed = {id: record["cause"] for id, record in records.items() if record["verdict"] == "fail"}
    assert set(failed) == set(mistake.kills)
    assert {id: cause for id, cause in failed.items() if mistake.directive not in cause} == {}
