"""The official client in a process of its own: what it gives, what it raises, and that it never hangs us."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_letta.client import Recorder
from pytest_letta.errors import SdkError
from pytest_letta.sdk import client as sdk_client
from pytest_letta.sdk import environment
from pytest_letta.sdk.choosing import Sdks
from pytest_letta.sdk.client import Sdk
from pytest_letta.sdk.versions import client_of
from pytest_letta.stack.progress import Silence
from pytest_letta.stack.releases import _RELEASES

#: A package of that name with as much of the client as the driver relies on.
_FAKE = """
import os
import time

__version__ = "1.2.3"


class NotFoundError(Exception):
    status_code = 404


class Things:
    def get(self, name):
        return {"name": name}

    def list(self, limit):
        yield from range(limit)

    def lose(self):
        raise NotFoundError("no such thing")

    def hang(self):
        time.sleep(60)

    def die(self):
        os._exit(3)


class Letta:
    def __init__(self, **args):
        self.things = Things()
"""


@pytest.fixture
def sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sdk]:
    monkeypatch.setattr(sdk_client, "_GRACE_S", 0.1)
    (tmp_path / "letta_client.py").write_text(_FAKE)
    command = ["env", f"PYTHONPATH={tmp_path}", sys.executable, "-P"]
    made = Sdk(command, {"base_url": "http://127.0.0.1:1", "token": None, "timeout_s": 0.4}, Recorder())
    yield made
    made.close()


def test_calls_and_iterations_give_what_the_client_gave(sdk: Sdk) -> None:
    assert sdk.version == "1.2.3"
    assert sdk.call("things.get", name="x") == {"name": "x"}
    assert sdk.items("things.list", limit=10**9, at_most=3) == [0, 1, 2]


def test_what_the_client_raises_is_told(sdk: Sdk) -> None:
    raised = sdk.refusal("things.lose")

    assert raised is not None
    assert (raised.kinds[0], raised.status, raised.text) == ("NotFoundError", 404, "no such thing")
    assert sdk.refusal("things.get", name="x") is None
    with pytest.raises(SdkError, match="the client raised NotFoundError: no such thing"):
        sdk.call("things.lose")


def test_client_that_hangs_is_ended(sdk: Sdk) -> None:
    with pytest.raises(SdkError, match=r"did not come back from things.hang in 0\.5 s"):
        sdk.call("things.hang")
    assert sdk.is_over


def test_process_that_dies_is_an_error_at_each_call_after(sdk: Sdk) -> None:
    for _ in range(2):
        with pytest.raises(SdkError, match="the process of the client"):
            sdk.call("things.die")


def test_every_release_since_the_first_of_its_kind_has_a_client() -> None:
    without = [version for version in _RELEASES if client_of(version) is None]

    assert without == ["0.11.7", "0.13.0"]


def test_server_without_a_client_of_its_own_says_so(tmp_path: Path) -> None:
    setup = {"base_url": "http://127.0.0.1:1", "token": None, "timeout_s": 1.0}
    sdks = Sdks("0.11.7", setup, cache_dir=tmp_path, progress=Silence(), recorder=Recorder())

    for which in ("own", "newest"):
        assert sdks.get(which) == "letta-client 1.0 and later are for Letta 0.14 and later; this server is 0.11.7"


def test_without_uv_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uv", None)
    monkeypatch.setattr(environment, "installed", lambda: None)
    setup = {"base_url": "http://127.0.0.1:1", "token": None, "timeout_s": 1.0}
    sdks = Sdks("0.16.8", setup, cache_dir=tmp_path, progress=Silence(), recorder=Recorder())

    assert "needs uv, which is not installed: pip install 'pytest-letta[sdk]'" in str(sdks.get("own"))
