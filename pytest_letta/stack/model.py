"""The scripted model as a service."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest_letta
from pytest_letta.stack.asking import ask
from pytest_letta.stack.process_service import ProcessService, plain_environment

#: For servers that use this model: they tell nobody of themselves, and look a certificate up when they need one. By
#: default they load hundreds for each request to the model, which takes a third of the time of a turn. A stream
#: that is silent has a ping every 5 s, so that nobody waits for the 20 s of the default to see one.
SERVER_ENVIRONMENT = {
    "LETTA_DISABLE_TRACING": "true",
    "DO_NOT_TRACK": "1",
    "SSL_CERT_DIR": "/etc/ssl/certs",
    "LETTA_KEEPALIVE_INTERVAL": "5",
    # MCP servers by standard input and output: Letta takes those by HTTP at public addresses only.
    "MCP_DISABLE_STDIO": "false",
}


class Model(ProcessService):
    """``python -m pytest_letta.llm`` on our own interpreter."""

    name = "llm"

    def command(self) -> Sequence[str]:
        address = self.address
        return [sys.executable, "-m", "pytest_letta.llm", "--host", address.host, "--port", str(address.port)]

    def environment(self) -> Mapping[str, str]:
        # We may be imported from a source tree that only our own sys.path names.
        source = Path(str(pytest_letta.__file__)).parent.parent
        return plain_environment(self.folder) | {"PYTHONPATH": str(source), "PYTHONUNBUFFERED": "1"}

    def check(self, limit_s: float) -> str | None:
        return ask(self.address, "/health", limit_s)

    @property
    def url(self) -> str:
        return f"http://{self.address}"
