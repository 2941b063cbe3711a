"""What the project's own tests share: one real stack for those that need it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import httpcore
import httpx
import pytest

from pytest_letta.settings import resolve
from pytest_letta.stack.local import LocalStack
from pytest_letta.stack.stack import Stack

_TESTS = Path(__file__).parent
_FAULTS = _TESTS / "faults"

#: Loaded before any inner run: such a run forgets what it imported, and of two httpcores httpx knows the first only.
LOADED = (httpcore, httpx)

# A shell has what it starts in the background ignore Ctrl-C, and so would all that the tests start to interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes many minutes together; run by `tox -e slow`.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With ``--dist loadgroup``, have the tests of a file in one process; those of faults go to whichever is idle."""
    for item in items:
        if _TESTS in item.path.parents and _FAULTS not in item.path.parents:
            item.add_marker(pytest.mark.xdist_group(str(item.path.relative_to(_TESTS))))


@pytest.fixture(scope="session", autouse=True)
def shared_cache(pytestconfig: pytest.Config) -> Iterator[None]:
    """Inner runs use the cache of this one: pytester gives them a home folder of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(resolve(pytestconfig).cache_dir.parent))
        yield


@pytest.fixture(scope="session")
def live_stack(pytestconfig: pytest.Config) -> Iterator[Stack]:
    """A healthy local stack with the newest Letta, shared by all tests that leave it healthy."""
    with LocalStack(cache_dir=resolve(pytestconfig).cache_dir) as stack:
        yield stack
